#pragma once
/*
 * An intrusive doubly linked ring. A node that is in no list points at itself, so
 * list_remove() may be called twice.
 */
#include "base/base.h"

struct list {
        struct list *prev, *next;
};

static inline void list_init(struct list *l) {
        l->prev = l->next = l;
}
static inline bool list_is_empty(const struct list *l) {
        return l->next == l;
}
static inline void list_insert_before(struct list *at, struct list *node) {
        node->prev = at->prev;
        node->next = at;
        at->prev->next = node;
        at->prev = node;
}
static inline void list_append(struct list *head, struct list *node) {
        list_insert_before(head, node);
}
static inline void list_remove(struct list *node) {
        node->prev->next = node->next;
        node->next->prev = node->prev;
        list_init(node);
}

/* The body may remove `pos` and nothing else. */
#define LIST_FOR_EACH(pos, head)                                                       \
        for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head);  \
             pos = pos##_next, pos##_next = pos->next)
