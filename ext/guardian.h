/* A second process that parks the instruments when the controller cannot.
 *
 * It is forked without Python, holds copies of the channels' descriptors and the safe programme,
 * and watches the controller. When that is dead or stopped it kills it first (a stopped controller
 * that is continued would go on with stale commands), then plays the programme, then gives up the
 * run lock. It must never allocate, log, outlive its work, or act while the controller is well.
 */
#ifndef LBL_GUARDIAN_H
#define LBL_GUARDIAN_H

#include <stdint.h>
#include <sys/types.h>

#include "programme.h"

enum guardian_kind {
    GUARDIAN_ADD,
    GUARDIAN_REMOVE,
    GUARDIAN_PROGRAMME,
    GUARDIAN_LOCK,
    GUARDIAN_NOTE,
    GUARDIAN_RELEASE
};

struct guardian_message {
    int32_t kind;
    int32_t channel;
    struct programme programme; /* sent with GUARDIAN_PROGRAMME only */
};

struct guardian {
    int socket;
    pid_t pid;
    int silent; /* it once did not answer: what it answers later belongs to no question */
};

/* All: 0 or an errno; each is answered by the guardian, within a second or ETIMEDOUT. */
int guardian_start(struct guardian *guardian);
int guardian_give(struct guardian *guardian, enum guardian_kind kind, int32_t channel, int fd);
int guardian_teach(struct guardian *guardian, const struct programme *programme);
/* Orderly close: it parks nothing and ends. */
int guardian_release(struct guardian *guardian);
/* 1 while the process lives. */
int guardian_alive(struct guardian *guardian);

/* watchman.c: the life of the child; never returns. */
_Noreturn void watchman(int socket, pid_t controller);

#endif
