/* The firing rule of core.h. Must never wait: what cannot fire now is looked at again later. */
#include <errno.h>
#include <stddef.h>

#include "core.h"

#define RETRY_NS 1000000LL /* between two writes to a full wire */
#define CHOKED_TRIES 1000  /* then the entry is given up, however wide its window */
#define ROUNDS (4 * LBL_ENTRIES) /* of one step; more only if other threads race it all the time */

enum event_kind { EVENT_NONE, EVENT_LEASE, EVENT_MISS, EVENT_FIRE };

struct event {
    enum event_kind kind;
    int64_t at_ns;
    uint64_t word;
    size_t slot;
};

static int64_t earlier(int64_t a_ns, int64_t b_ns) {
    return a_ns < b_ns ? a_ns : b_ns;
}

static void judge(struct core *core, enum reason reason, int32_t channel, int64_t entry,
                  int error) {
    struct verdict *verdict = &core->verdict;
    if (atomic_load(&verdict->reason) != REASON_FIRED && reason != REASON_LEASE) {
        return;
    }
    atomic_store(&verdict->channel, channel);
    atomic_store(&verdict->entry, entry);
    atomic_store(&verdict->error, error);
    atomic_store(&verdict->reason, reason);
}

static void stop_all(struct core *core, enum reason reason, int32_t channel, int64_t entry,
                     int error) {
    core_drop_all(core);
    judge(core, reason, channel, entry, error);
    core_wake(core);
}

static void note(struct core *core, size_t slot, int64_t entry, int64_t actual_ns,
                 enum reason reason) {
    struct record record = {
        .entry = entry,
        .tag = core->bodies[slot].tag,
        .channel = atomic_load(&core->heads[slot].channel),
        .deadline_ns = atomic_load(&core->heads[slot].deadline_ns),
        .latest_ns = atomic_load(&core->heads[slot].latest_ns),
        .actual_ns = actual_ns,
        .reason = reason,
    };
    core_record(core, &record);
}

/* Takes the entry out of the table; the caller owns it (FIRING) or has just taken it (MISSED). */
static void fail(struct core *core, size_t slot, int64_t entry, int64_t now_ns, enum reason reason,
                 int error) {
    note(core, slot, entry, now_ns, reason);
    int32_t channel = atomic_load(&core->heads[slot].channel);
    atomic_store(&core->heads[slot].word, core_word(entry, ENTRY_MISSED));
    atomic_fetch_sub(&core->active, 1);
    stop_all(core, reason, channel, entry, error);
}

static void miss(struct core *core, const struct event *event, int64_t now_ns) {
    uint64_t word = event->word;
    struct entry_head *head = &core->heads[event->slot];
    enum reason reason = (enum reason)atomic_load(&head->block);
    if (core_state(word) == ENTRY_ARMED) {
        reason = reason == REASON_LATE ? REASON_LATE : REASON_UNCONFIRMED;
    } else if (reason != REASON_BUSY && reason != REASON_CHOKED) {
        reason = REASON_LATE;
    }
    if (atomic_compare_exchange_strong(&head->word, &word,
                                       core_word(core_id(word), ENTRY_FIRING))) {
        fail(core, event->slot, core_id(word), now_ns, reason, 0);
    }
}

/* `entry` is 0 for a safe step. */
static int64_t write_bytes(struct channel *channel, int32_t id, const uint8_t *data, size_t size,
                           int64_t entry) {
    if (channel->visa != NULL) {
        return visa_send(channel->visa, data, size, entry);
    }
    return channel->call != NULL ? channel->call(channel->object, id, data, size)
                                 : wire_send(&channel->wire, data, size);
}

/* The wire and the entry are ours; 1 when the wire must stay so until the bytes are delivered. */
static int send_entry(struct core *core, size_t slot, int64_t entry, int64_t now_ns) {
    struct entry_head *head = &core->heads[slot];
    struct entry_body *body = &core->bodies[slot];
    int32_t id = atomic_load(&head->channel);
    struct channel *channel = &core->channels[id];
    int64_t sent = write_bytes(channel, id, body->data, body->size, entry);
    if (sent == (int64_t)body->size) {
        atomic_fetch_add(&channel->uncollected, body->replies);
        atomic_store(&body->fired_ns, now_ns);
        note(core, slot, entry, now_ns, REASON_FIRED);
        atomic_fetch_sub(&core->active, 1);
        atomic_store(&head->word, core_word(entry, ENTRY_FIRED));
    } else if (sent < 0) {
        fail(core, slot, entry, now_ns, REASON_FAILED, (int)-sent);
    } else if (sent > 0 || ++body->tries >= CHOKED_TRIES) {
        /* Cut in mid-command, or full for too long: only a person or a resynchronisation helps. */
        fail(core, slot, entry, now_ns, REASON_CHOKED, 0);
    } else {
        atomic_store(&head->block, REASON_CHOKED);
        atomic_store(&head->retry_ns, now_ns + RETRY_NS);
        atomic_store(&head->word, core_word(entry, ENTRY_CONFIRMED));
    }
    return channel->visa != NULL && sent > 0;
}

static void fire(struct core *core, const struct event *event, int64_t step_ns) {
    struct entry_head *head = &core->heads[event->slot];
    int64_t entry = core_id(event->word);
    struct channel *channel = &core->channels[atomic_load(&head->channel)];
    uint64_t word = event->word;
    int32_t owner = OWNER_NONE;
    int kept = 0;
    if (!atomic_compare_exchange_strong(&channel->owner, &owner, OWNER_PACER)) {
        if (owner == OWNER_ABSENT &&
            atomic_compare_exchange_strong(&head->word, &word, core_word(entry, ENTRY_FIRING))) {
            fail(core, event->slot, entry, step_ns, REASON_FAILED, EBADF);
        }
        return;
    }
    if (atomic_compare_exchange_strong(&head->word, &word, core_word(entry, ENTRY_FIRING))) {
        /* The time counts from here: this thread may have slept since the step began. */
        int64_t now_ns = core->virtual_clock ? step_ns : core_now(core);
        if (atomic_load(&core->held)) {
            atomic_fetch_sub(&core->active, 1);
            atomic_store(&head->word, core_word(entry, ENTRY_DROPPED));
        } else if (now_ns > atomic_load(&head->latest_ns)) {
            fail(core, event->slot, entry, now_ns, REASON_LATE, 0);
        } else {
            kept = send_entry(core, event->slot, entry, now_ns);
        }
    }
    int32_t pacer = OWNER_PACER;
    if (!kept) {
        atomic_compare_exchange_strong(&channel->owner, &pacer, OWNER_NONE);
    }
}

/* What one entry asks for now: an event, or only a later look (the returned instant). */
static int64_t look(struct core *core, size_t slot, int64_t now_ns, struct event *event) {
    struct entry_head *head = &core->heads[slot];
    uint64_t word = atomic_load(&head->word);
    enum entry_state state = core_state(word);
    if (state != ENTRY_ARMED && state != ENTRY_CONFIRMED) {
        return -1;
    }
    int64_t deadline_ns = atomic_load(&head->deadline_ns);
    int64_t latest_ns = atomic_load(&head->latest_ns);
    int64_t retry_ns = atomic_load(&head->retry_ns);
    int32_t owner = atomic_load(&core->channels[atomic_load(&head->channel)].owner);
    *event = (struct event){.word = word, .slot = slot, .at_ns = deadline_ns};
    if (now_ns > latest_ns) {
        event->kind = EVENT_MISS;
        event->at_ns = latest_ns + 1;
    } else if (deadline_ns > now_ns) {
        return deadline_ns;
    } else if (state == ENTRY_ARMED) {
        atomic_store(&head->block, REASON_UNCONFIRMED);
    } else if (owner == OWNER_BUS || owner == OWNER_PACER) {
        atomic_store(&head->block, REASON_BUSY);
    } else if (retry_ns > now_ns) {
        return earlier(retry_ns, latest_ns + 1);
    } else {
        event->kind = EVENT_FIRE;
    }
    return latest_ns + 1;
}

/* In the order in which they should have happened, had this step come in time. */
static int before(const struct event *a, const struct event *b) {
    if (b->kind == EVENT_NONE || a->at_ns != b->at_ns) {
        return b->kind == EVENT_NONE || a->at_ns < b->at_ns;
    }
    return a->kind != b->kind ? a->kind < b->kind : core_id(a->word) < core_id(b->word);
}

static struct event first_event(struct core *core, int64_t now_ns, int64_t *next_ns) {
    struct event first = {.kind = EVENT_NONE};
    int64_t lease_ns = atomic_load(&core->lease_ns);
    int32_t left = atomic_load(&core->active);
    *next_ns = CLOCK_NEVER;
    if (lease_ns != 0 && lease_ns <= now_ns) {
        first = (struct event){.kind = EVENT_LEASE, .at_ns = lease_ns};
    } else if (lease_ns != 0) {
        *next_ns = lease_ns;
    }
    for (size_t i = 0; i < LBL_ENTRIES && left > 0; i++) {
        struct event event = {.kind = EVENT_NONE};
        int64_t later_ns = look(core, i, now_ns, &event);
        if (later_ns < 0) {
            continue;
        }
        left--;
        if (event.kind == EVENT_NONE) {
            *next_ns = earlier(*next_ns, later_ns);
        } else if (before(&event, &first)) {
            first = event;
        }
    }
    return first;
}

static int64_t safe_send(void *self, int32_t channel, const uint8_t *data, size_t size) {
    struct core *core = self;
    struct channel *wire = &core->channels[channel];
    int64_t sent = -EBADF;
    atomic_fetch_add(&wire->pins, 1);
    if (atomic_load(&wire->owner) != OWNER_ABSENT) {
        sent = write_bytes(wire, channel, data, size, 0);
    }
    atomic_fetch_sub(&wire->pins, 1);
    return sent;
}

static void safe_note(void *self, const struct safe_step *step, int64_t due_ns, int64_t end) {
    struct record record = {
        .channel = step->channel,
        .deadline_ns = due_ns,
        .latest_ns = due_ns,
        .actual_ns = core_now(self),
        .reason = end > 0 ? REASON_SAFE : end == 0 ? REASON_CHOKED : REASON_FAILED,
    };
    core_record(self, &record);
}

/* The newest programme may be replaced while it is being taken: then the newer one is taken. */
static void begin_parking(struct core *core, int64_t now_ns) {
    core->played = -1;
    for (int tries = 0; tries < 3 && core->played < 0; tries++) {
        int32_t newest = atomic_load(&core->newest);
        int32_t ready = PROGRAMME_READY;
        if (atomic_compare_exchange_strong(&core->programmes[newest].state, &ready,
                                           PROGRAMME_PLAYING)) {
            core->played = newest;
        }
    }
    programme_start(&core->playing, now_ns);
    atomic_store(&core->safe_ns, now_ns);
    atomic_store(&core->parking, PARK_PLAYING);
}

static int64_t play(struct core *core, int64_t now_ns) {
    const struct player player = {.self = core, .send = safe_send, .note = safe_note};
    int64_t next_ns = CLOCK_NEVER;
    if (atomic_load(&core->parking) == PARK_ASKED) {
        begin_parking(core, now_ns);
    }
    if (atomic_load(&core->parking) != PARK_PLAYING) {
        return next_ns;
    }
    if (core->played >= 0) {
        next_ns = programme_play(&core->programmes[core->played].programme, &core->playing, now_ns,
                                 &player);
        atomic_store(&core->safe_ns, next_ns);
    }
    if (next_ns == CLOCK_NEVER) {
        if (core->played >= 0) {
            atomic_store(&core->programmes[core->played].state, PROGRAMME_READY);
        }
        atomic_store(&core->parking, PARK_DONE);
    }
    return next_ns;
}

static void lease_passed(struct core *core, int64_t lease_ns, int64_t now_ns) {
    struct record record = {.channel = -1,
                            .deadline_ns = lease_ns,
                            .latest_ns = lease_ns,
                            .actual_ns = now_ns,
                            .reason = REASON_LEASE};
    /* Renewed at the last moment: it has not passed. */
    if (!atomic_compare_exchange_strong(&core->lease_ns, &lease_ns, 0)) {
        return;
    }
    core_record(core, &record);
    core_park(core); /* before the verdict is seen: who sees it cannot clear what is still to come */
    stop_all(core, REASON_LEASE, -1, 0, 0);
}

/* What a thread of visa.c could not deliver was fired in good faith; now it is known. */
static void judge_refusals(struct core *core) {
    for (int32_t i = 0; i < LBL_CHANNELS && atomic_load(&core->refusals) > 0; i++) {
        struct channel *channel = &core->channels[i];
        int error = atomic_exchange(&channel->refused, 0);
        if (error != 0) {
            atomic_fetch_sub(&core->refusals, 1);
            stop_all(core, REASON_FAILED, i, atomic_load(&channel->entry), error);
        }
    }
}

int64_t core_step(struct core *core, int64_t now_ns) {
    int64_t next_ns = CLOCK_NEVER;
    int round = 0;
    judge_refusals(core);
    for (; round < ROUNDS; round++) {
        struct event event = first_event(core, now_ns, &next_ns);
        if (event.kind == EVENT_LEASE) {
            lease_passed(core, event.at_ns, now_ns);
        } else if (event.kind == EVENT_MISS) {
            miss(core, &event, now_ns);
        } else if (event.kind == EVENT_FIRE) {
            fire(core, &event, now_ns);
        } else {
            break;
        }
    }
    if (round == ROUNDS) {
        next_ns = now_ns + RETRY_NS;
    }
    next_ns = earlier(next_ns, play(core, now_ns));
    atomic_store(&core->stepped_ns, now_ns);
    return next_ns;
}
