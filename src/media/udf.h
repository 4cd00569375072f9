#pragma once
/*
 * A UDF volume (ECMA-167 and the OSTA specification, 1.02 to 2.60) read into an index,
 * as media/iso.h does for ISO 9660. Windows media are UDF with an almost empty ISO 9660
 * side. Volumes on one medium, written or rewritten in place: plain, sparable and
 * metadata partitions; not the virtual ones of write-once discs.
 *
 * Every structure is held against its tag, checksum and CRC (ECMA-167 3/7.2); what an
 * image can make us read, keep and follow is bounded.
 */
#include "media/iso.h"

/* Whether the volume recognition sequence (ECMA-167 2/8.3) tells of UDF. `data` holds
 * what is at sector 16 of 2048 bytes and behind. */
bool media_udf_is(const uint8_t *data, size_t n);

/* As media_iso_read(). */
MUST_USE int media_udf_read(int fd, uint64_t size, struct media_iso *ret,
                            struct text *why);
