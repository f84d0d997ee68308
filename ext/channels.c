/* Channels of core.h: where bytes go, and who owns the wire. See core.h. */
#include <errno.h>
#include <sched.h>
#include <stddef.h>

#include "core.h"

#define PATIENCE_NS 1000000000LL /* the pacer owns a wire for one non-blocking write */

/* Round robin: bytes meant for a removed channel must not find another behind its number. */
static int32_t absent(struct core *core) {
    for (int32_t tries = 0; tries < LBL_CHANNELS; tries++) {
        int32_t i = core->last_channel;
        core->last_channel = (i + 1) % LBL_CHANNELS;
        if (atomic_load(&core->channels[i].owner) == OWNER_ABSENT) {
            return i;
        }
    }
    return -ENOSPC;
}

static void publish(struct channel *channel) {
    atomic_store(&channel->uncollected, 0);
    atomic_store(&channel->owner, OWNER_NONE);
}

int32_t core_add_wire(struct core *core, int fd) {
    int32_t i = absent(core);
    if (i < 0) {
        return i;
    }
    int error = wire_open(&core->channels[i].wire, fd);
    if (error < 0) {
        return error;
    }
    core->channels[i].call = NULL;
    publish(&core->channels[i]);
    return i;
}

int32_t core_add_call(struct core *core, channel_call call, void *object) {
    int32_t i = core->virtual_clock ? absent(core) : -EPERM;
    if (i < 0) {
        return i;
    }
    core->channels[i].call = call;
    core->channels[i].object = object;
    publish(&core->channels[i]);
    return i;
}

/* What was fired is delivered, or not: the wire is free again, and the pacer looks. */
static void delivered(void *self, int32_t channel, int64_t entry, int error) {
    struct core *core = self;
    struct channel *wire = &core->channels[channel];
    int32_t pacer = OWNER_PACER;
    if (error != 0) {
        atomic_store(&wire->entry, entry);
        if (atomic_exchange(&wire->refused, error) == 0) {
            atomic_fetch_add(&core->refusals, 1);
        }
    }
    if (entry != 0) { /* a safe step asked nobody */
        atomic_compare_exchange_strong(&wire->owner, &pacer, OWNER_NONE);
    }
    core_ring(core);
}

int32_t core_add_visa(struct core *core, visa_write write, uint32_t session) {
    int32_t i = core->virtual_clock ? -EPERM : absent(core);
    if (i < 0) {
        return i;
    }
    const struct visa_call call = {write, session, i, core, delivered};
    struct visa *visa = visa_open(&call);
    if (visa == NULL) {
        return -errno;
    }
    core->channels[i].call = NULL;
    core->channels[i].visa = visa;
    publish(&core->channels[i]);
    return i;
}

int core_known(struct core *core, int32_t channel) {
    return channel >= 0 && channel < LBL_CHANNELS &&
           atomic_load(&core->channels[channel].owner) != OWNER_ABSENT;
}

static int end_visa(struct channel *wire) {
    if (wire->visa == NULL || visa_close(wire->visa) != 0) {
        return wire->visa == NULL ? 0 : -EBUSY;
    }
    wire->visa = NULL;
    return 0;
}

int core_remove(struct core *core, int32_t channel) {
    struct channel *wire = &core->channels[channel];
    int64_t give_up_ns = clock_now() + (core->virtual_clock ? 0 : PATIENCE_NS);
    int gone = 0;
    do {
        int32_t owner = atomic_load(&wire->owner);
        int busy = owner == OWNER_PACER || (wire->visa != NULL && !visa_idle(wire->visa));
        gone = gone ||
               (!busy && atomic_compare_exchange_strong(&wire->owner, &owner, OWNER_ABSENT));
        if (gone && atomic_load(&wire->pins) == 0) {
            return end_visa(wire);
        }
        sched_yield();
    } while (clock_now() < give_up_ns);
    return -EBUSY;
}

/* The safe programme asks nobody; an exchange that it would cut into is not begun. */
static int disturbed(struct core *core, int32_t channel, int64_t until_ns) {
    int32_t parking = atomic_load(&core->parking);
    int64_t deadline_ns = core_next_deadline(core, channel);
    return (deadline_ns >= 0 && deadline_ns < until_ns) || parking == PARK_ASKED ||
           (parking == PARK_PLAYING && atomic_load(&core->safe_ns) < until_ns);
}

int32_t core_acquire(struct core *core, int32_t channel, int64_t hold_ns) {
    struct channel *wire = &core->channels[channel];
    int32_t owner = OWNER_NONE;
    if (!atomic_compare_exchange_strong(&wire->owner, &owner, OWNER_BUS)) {
        return -1;
    }
    /* Owned first, looked second: an entry that comes due meanwhile finds the wire busy. */
    if (disturbed(core, channel, core_now(core) + hold_ns)) {
        core_release(core, channel);
        return -1;
    }
    return atomic_load(&wire->uncollected);
}

int core_collected(struct core *core, int32_t channel, int32_t replies) {
    _Atomic int32_t *uncollected = &core->channels[channel].uncollected;
    if (replies < 0 || replies > atomic_load(uncollected)) {
        return -ERANGE;
    }
    atomic_fetch_sub(uncollected, replies);
    return 0;
}

int core_release(struct core *core, int32_t channel) {
    int32_t owner = OWNER_BUS;
    if (!atomic_compare_exchange_strong(&core->channels[channel].owner, &owner, OWNER_NONE)) {
        return -EPERM;
    }
    int64_t deadline_ns = core_next_deadline(core, channel);
    if (deadline_ns >= 0 && deadline_ns <= core_now(core)) {
        core_ring(core);
    }
    return 0;
}

int64_t core_next_deadline(struct core *core, int32_t channel) {
    int64_t nearest_ns = -1;
    if (atomic_load(&core->active) == 0) {
        return nearest_ns;
    }
    for (size_t i = 0; i < LBL_ENTRIES; i++) {
        struct entry_head *head = &core->heads[i];
        enum entry_state state = core_state(atomic_load(&head->word));
        if ((state != ENTRY_ARMED && state != ENTRY_CONFIRMED) ||
            atomic_load(&head->channel) != channel) {
            continue;
        }
        int64_t deadline_ns = atomic_load(&head->deadline_ns);
        if (nearest_ns < 0 || deadline_ns < nearest_ns) {
            nearest_ns = deadline_ns;
        }
    }
    return nearest_ns;
}
