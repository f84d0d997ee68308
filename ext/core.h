/* The table of armed commands, the ownership of the wires, and the one firing rule.
 *
 * An entry fires at the first instant in [deadline, latest] at which it is confirmed and its
 * channel is free. Otherwise the core goes into hold: every armed entry is dropped and none is
 * taken until it is cleared. core_step(now) is that rule, for the pacer thread in real time and
 * inline in virtual time alike.
 *
 * One thread steps; any thread arms, confirms, owns, holds. They share atomics only, so no thread
 * of Python can make the stepping thread wait. Nothing here may allocate, log, or hold a lock.
 */
#ifndef LBL_CORE_H
#define LBL_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clock.h"
#include "programme.h"
#include "visa.h"
#include "wire.h"

#define LBL_ENTRIES 256
#define LBL_RECORDS 8192

enum entry_state {
    ENTRY_EMPTY,
    ENTRY_FILLING,
    ENTRY_ARMED,
    ENTRY_CONFIRMED,
    ENTRY_FIRING,
    ENTRY_FIRED,
    ENTRY_MISSED,
    ENTRY_DROPPED
};

enum reason {
    REASON_FIRED,
    REASON_UNCONFIRMED,
    REASON_BUSY,
    REASON_LATE,
    REASON_CHOKED,
    REASON_FAILED,
    REASON_LEASE,
    REASON_SAFE
};

/* OWNER_PACER lasts beyond a step only while a thread of visa.c delivers what was fired. */
enum owner { OWNER_ABSENT, OWNER_NONE, OWNER_BUS, OWNER_PACER };

enum parking { PARK_NONE, PARK_ASKED, PARK_PLAYING, PARK_DONE };

enum programme_state { PROGRAMME_IDLE, PROGRAMME_FILLING, PROGRAMME_READY, PROGRAMME_PLAYING };

/* What the scan reads; apart from the bytes so that 256 of them stay small. */
struct entry_head {
    _Atomic uint64_t word; /* id << 4 | state: a slot that is reused never looks the same */
    _Atomic int64_t deadline_ns;
    _Atomic int64_t latest_ns;
    _Atomic int64_t retry_ns;
    _Atomic int32_t channel;
    _Atomic int32_t block; /* enum reason: why it could not fire when last looked at */
};

struct entry_body {
    _Atomic int64_t fired_ns;
    int64_t tag;
    int32_t replies;
    int32_t tries;
    uint32_t size;
    uint8_t data[LBL_DATA_MAX];
};

typedef int64_t (*channel_call)(void *object, int32_t channel, const uint8_t *data, size_t size);

struct channel {
    _Atomic int32_t owner;
    _Atomic int32_t uncollected; /* replies of fired commands that nobody has read yet */
    _Atomic int32_t pins;        /* the safe programme is writing, whoever owns the wire */
    struct wire wire;
    channel_call call; /* virtual clock only */
    void *object;
    struct visa *visa;       /* real clock only */
    _Atomic int32_t refused; /* errno of what visa could not deliver, until it is judged ... */
    _Atomic int64_t entry;   /* ... and its entry; 0: a safe step */
};

struct record {
    int64_t entry, tag, channel, deadline_ns, latest_ns, actual_ns, reason;
};

struct verdict {
    _Atomic int32_t reason; /* written last, cleared first */
    _Atomic int32_t channel;
    _Atomic int64_t entry;
    _Atomic int32_t error; /* errno behind REASON_FAILED */
};

struct slot_programme {
    _Atomic int32_t state;
    struct programme programme;
};

struct core {
    int virtual_clock;
    double speed; /* of a scaled real clock: its nanoseconds in one real one; 0: not scaled */
    int64_t start_ns, anchor_ns; /* its time, and the real one, when it was made */
    _Atomic int64_t virtual_ns;
    _Atomic int64_t stepped_ns; /* everything due by then has been judged */
    _Atomic int32_t watchers;   /* threads that wait for stepped_ns to move */
    struct bell work;           /* something changed: the pacer looks again */
    struct bell wakes;          /* wake(), or a verdict: a waiting thread returns */
    struct bell steps;          /* rung after a step while somebody watches */
    _Atomic int32_t held;
    _Atomic int32_t parking;
    _Atomic int64_t lease_ns;
    _Atomic int32_t refusals; /* channels with `refused` set: at most so many */
    _Atomic int32_t active; /* entries armed or confirmed: at least so many */
    uint64_t sequence;      /* of the last id; who arms is one thread at a time (the GIL) */
    struct verdict verdict;
    struct entry_head heads[LBL_ENTRIES];
    struct entry_body bodies[LBL_ENTRIES];
    struct channel channels[LBL_CHANNELS];
    int32_t last_channel;                /* as `sequence` */
    struct slot_programme programmes[3]; /* playing, newest, being written */
    _Atomic int32_t newest;
    struct playing playing;
    int32_t played;
    _Atomic int64_t safe_ns; /* when the next bytes of the safe programme are due */
    _Atomic uint64_t recorded, drained, lost;
    struct record records[LBL_RECORDS];
    _Atomic int32_t stop;
    int started;
    pid_t process;
    pthread_t thread;
};

static inline uint64_t core_word(int64_t entry, enum entry_state state) {
    return (uint64_t)entry << 4 | (uint64_t)state;
}

static inline enum entry_state core_state(uint64_t word) {
    return (enum entry_state)(word & 15U);
}

static inline int64_t core_id(uint64_t word) {
    return (int64_t)(word >> 4);
}

/* Prepares zeroed memory; 0 or an errno. */
int core_init(struct core *core, int virtual_clock, int64_t start_ns);
/* A real clock that runs `speed` times as fast from start_ns on; before the pacer starts. */
void core_scale(struct core *core, int64_t start_ns, double speed);
/* After pacer_stop; EBUSY when a viWrite does not return: then the memory must stay. */
int core_destroy(struct core *core);

int64_t core_now(struct core *core);
/* When CLOCK_MONOTONIC shows that a real clock has reached at_ns; CLOCK_NEVER stays. */
int64_t core_real(const struct core *core, int64_t at_ns);
void core_set_now(struct core *core, int64_t now_ns); /* virtual clock; never backwards */
/* The stepping thread looks again. */
void core_ring(struct core *core);
/* A waiting thread of Python returns; if none waits, the next one does. */
void core_wake(struct core *core);
void core_lease(struct core *core, int64_t until_ns);
int core_held(struct core *core);
int core_parking(struct core *core);
/* The reason of the last block (REASON_FIRED: none) and what it was about. */
int core_verdict(struct core *core, int32_t *channel, int64_t *entry, int *error);

/* channels.c. Ids, or a negative errno: EBADF ENOSPC EBUSY EPERM. */
int32_t core_add_wire(struct core *core, int fd);
int32_t core_add_visa(struct core *core, visa_write write, uint32_t session);
int32_t core_add_call(struct core *core, channel_call call, void *object);
int core_remove(struct core *core, int32_t channel);
int core_known(struct core *core, int32_t channel);
/* Uncollected replies, or -1: owned by another, or a deadline nearer than hold_ns. */
int32_t core_acquire(struct core *core, int32_t channel, int64_t hold_ns);
/* 0, or -ERANGE: more than there are. */
int core_collected(struct core *core, int32_t channel, int32_t replies);
int core_release(struct core *core, int32_t channel);
int64_t core_next_deadline(struct core *core, int32_t channel);

/* entries.c. core_arm: an id, or -EBUSY in hold, -ENOSPC when the table is full. */
struct order {
    int32_t channel;
    int32_t replies;
    int64_t deadline_ns, latest_ns, tag;
    const uint8_t *data;
    uint32_t size;
};
int64_t core_arm(struct core *core, const struct order *order);
int core_confirm(struct core *core, int64_t entry); /* 0, or -ENOENT */
int core_entry(struct core *core, int64_t entry, int64_t *fired_ns);
void core_drop_all(struct core *core);
void core_hold(struct core *core);
int core_clear(struct core *core); /* 0, or -EBUSY while the safe programme plays */
void core_park(struct core *core);
int core_set_programme(struct core *core, const struct programme *programme);

/* rule.c. Judges everything due by now_ns; returns the next instant worth a look. */
int64_t core_step(struct core *core, int64_t now_ns);

/* records.c: one writer (who steps), one reader. */
void core_record(struct core *core, const struct record *record);
size_t core_recorded(struct core *core); /* records waiting to be drained */
size_t core_drain(struct core *core, struct record *records, size_t room);
int64_t core_lost(struct core *core); /* records that found the ring full */

/* pacer.c: the thread of the real clock. */
int pacer_start(struct core *core);
void pacer_stop(struct core *core);
/* Waits until the pacer has judged everything due by deadline_ns; bounded. */
enum clock_end pacer_settle(struct core *core, int64_t deadline_ns);
/* Whether the pacer steps when it is asked to, within so many real nanoseconds. */
int pacer_answers(struct core *core, int64_t within_ns);
/* SCHED_FIFO at `priority`, or back to SCHED_OTHER with 0; 0 or an errno. */
int pacer_fifo(struct core *core, int priority);
int pacer_pin(struct core *core, int cpu);

#endif
