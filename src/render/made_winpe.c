/*
 * wimboot puts files that it is given into \Windows\System32 of Windows PE
 * (ipxe.org/wimboot). Its winpeshl.exe runs what winpeshl.ini says instead of Setup,
 * and Setup of the medium's boot.wim would look for its other files on a drive that is
 * not there. So startnet.cmd gets them: wpeinit brings the network up, curl.exe, where
 * this PE has it, fetches the image of the system, and Setup gets it by /InstallFrom
 * (Microsoft: "Windows Setup Command-Line Options"). We serve no SMB; without curl.exe
 * a sentence says what is missing.
 *
 * The image does not fit on PE's RAM disk (32 MiB by default, 512 at the most), so it
 * needs a drive with room for it: one that is there, or a partition made before.
 * Nothing here writes to a partition table.
 */
#include "render/made.h"

void made_winpeshl(struct text *out) {
        text_add(out, "[LaunchApps]\r\n"
                      "%SYSTEMROOT%\\System32\\cmd.exe, "
                      "/k %SYSTEMROOT%\\System32\\startnet.cmd\r\n");
}

static const char before[] = "@echo off\r\n"
                             "wpeinit\r\n"
                             "wpeutil WaitForNetwork\r\n";

static const char after[] =
        "if exist %SYSTEMROOT%\\System32\\curl.exe goto curl\r\n"
        "echo This Windows PE has no curl.exe, so it cannot fetch the rest of the\r\n"
        "echo medium by HTTP. Put a curl.exe into sources\\boot.wim, or use a newer\r\n"
        "echo medium.\r\n"
        "goto end\r\n"
        ":curl\r\n"
        "set DRIVE=\r\n"
        "for %%d in (C D E F G H I J K L M N O P Q R S T U V W Y Z) do "
        "if not defined DRIVE if exist %%d:\\ "
        "(md %%d:\\bootjack\\sources 2>nul && set DRIVE=%%d:)\r\n"
        "if not defined DRIVE (\r\n"
        "echo There is no drive that the system's image fits on. Make a partition "
        "of\r\n"
        "echo 8 GB or more with diskpart, format it with NTFS, and run startnet.cmd\r\n"
        "echo again.\r\n"
        "goto end\r\n"
        ")\r\n"
        "set IMAGE=\r\n"
        "for %%f in (install.wim install.esd) do if not defined IMAGE "
        "curl.exe --fail --location --retry 5 --continue-at - "
        "--output %DRIVE%\\bootjack\\sources\\%%f %TREE%/sources/%%f && "
        "set IMAGE=%DRIVE%\\bootjack\\sources\\%%f\r\n"
        "if not defined IMAGE (\r\n"
        "echo Neither sources/install.wim nor sources/install.esd could be fetched "
        "from\r\n"
        "echo %TREE%\r\n"
        "goto end\r\n"
        ")\r\n"
        "X:\\sources\\setup.exe /InstallFrom:%IMAGE%\r\n"
        ":end\r\n";

void made_startnet(const char *tree, struct text *out) {
        text_add(out, before);
        text_add(out, "set TREE=");
        /* In a batch file a percent sign is written twice. */
        for (; *tree; tree++)
                text_add(out, *tree == '%' ? "%%" : (char[]){ *tree, '\0' });
        text_add(out, "\r\n");
        text_add(out, after);
}
