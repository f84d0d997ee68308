/* Entries of core.h: arm, confirm, look up, drop, hold, park. See core.h. */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "core.h"

#define CALM_NS 100000000LL /* hold() waits so long for a write that has begun */

/* Round robin, so that a finished entry can be asked about for as long as possible. */
static struct entry_head *free_slot(struct core *core, int64_t *entry) {
    for (uint64_t tries = 0; tries < LBL_ENTRIES; tries++) {
        uint64_t number = ++core->sequence;
        struct entry_head *head = &core->heads[number % LBL_ENTRIES];
        uint64_t word = atomic_load(&head->word);
        enum entry_state state = core_state(word);
        int taken = state == ENTRY_FILLING || state == ENTRY_ARMED || state == ENTRY_CONFIRMED ||
                    state == ENTRY_FIRING;
        *entry = (int64_t)number;
        if (!taken && atomic_compare_exchange_strong(&head->word, &word,
                                                     core_word(*entry, ENTRY_FILLING))) {
            return head;
        }
    }
    return NULL;
}

static void fill(struct core *core, struct entry_head *head, const struct order *order) {
    struct entry_body *body = &core->bodies[head - core->heads];
    int late = order->latest_ns < core_now(core);
    atomic_store(&head->deadline_ns, order->deadline_ns);
    atomic_store(&head->latest_ns, order->latest_ns);
    atomic_store(&head->retry_ns, 0);
    atomic_store(&head->channel, order->channel);
    atomic_store(&head->block, late ? REASON_LATE : REASON_FIRED);
    atomic_store(&body->fired_ns, 0);
    body->tag = order->tag;
    body->replies = order->replies;
    body->tries = 0;
    body->size = order->size;
    memcpy(body->data, order->data, order->size);
}

int64_t core_arm(struct core *core, const struct order *order) {
    int64_t entry = 0;
    if (atomic_load(&core->held)) {
        return -EBUSY;
    }
    struct entry_head *head = free_slot(core, &entry);
    if (head == NULL) {
        return -ENOSPC;
    }
    fill(core, head, order);
    atomic_fetch_add(&core->active, 1);
    uint64_t armed = core_word(entry, ENTRY_ARMED);
    atomic_store(&head->word, armed);
    /* A hold that began meanwhile may have passed this slot before it was armed. */
    if (atomic_load(&core->held) &&
        atomic_compare_exchange_strong(&head->word, &armed, core_word(entry, ENTRY_DROPPED))) {
        atomic_fetch_sub(&core->active, 1);
        return -EBUSY;
    }
    if (!core->virtual_clock) {
        core_ring(core);
    }
    return entry;
}

static struct entry_head *find(struct core *core, int64_t entry, uint64_t *word) {
    struct entry_head *head = &core->heads[(uint64_t)entry % LBL_ENTRIES];
    *word = atomic_load(&head->word);
    return entry > 0 && core_id(*word) == entry ? head : NULL;
}

int core_confirm(struct core *core, int64_t entry) {
    uint64_t word = 0;
    struct entry_head *head = find(core, entry, &word);
    if (head == NULL) {
        return -ENOENT;
    }
    /* Too late to count: the pacer, however late itself, finds it unconfirmed. */
    if (core_state(word) != ENTRY_ARMED || atomic_load(&head->latest_ns) < core_now(core)) {
        return 0;
    }
    int64_t deadline_ns = atomic_load(&head->deadline_ns);
    if (atomic_compare_exchange_strong(&head->word, &word, core_word(entry, ENTRY_CONFIRMED)) &&
        deadline_ns <= core_now(core)) {
        core_ring(core);
    }
    return 0;
}

int core_entry(struct core *core, int64_t entry, int64_t *fired_ns) {
    uint64_t word = 0;
    struct entry_head *head = find(core, entry, &word);
    if (head == NULL) {
        return -ENOENT;
    }
    *fired_ns = atomic_load(&core->bodies[head - core->heads].fired_ns);
    return (int)core_state(word);
}

void core_drop_all(struct core *core) {
    atomic_store(&core->held, 1);
    for (size_t i = 0; i < LBL_ENTRIES; i++) {
        uint64_t word = atomic_load(&core->heads[i].word);
        enum entry_state state = core_state(word);
        while (state == ENTRY_ARMED || state == ENTRY_CONFIRMED) {
            uint64_t dropped = core_word(core_id(word), ENTRY_DROPPED);
            if (atomic_compare_exchange_strong(&core->heads[i].word, &word, dropped)) {
                atomic_fetch_sub(&core->active, 1);
                break;
            }
            state = core_state(word);
        }
    }
}

static int firing(struct core *core) {
    for (size_t i = 0; i < LBL_ENTRIES; i++) {
        if (core_state(atomic_load(&core->heads[i].word)) == ENTRY_FIRING) {
            return 1;
        }
    }
    return 0;
}

/* In virtual time a write in progress is further up this very stack. */
void core_hold(struct core *core) {
    int64_t give_up_ns = clock_now() + CALM_NS;
    core_drop_all(core);
    while (!core->virtual_clock && firing(core) && clock_now() < give_up_ns) {
        sched_yield();
    }
}

int core_clear(struct core *core) {
    int32_t done = PARK_DONE;
    if (!atomic_compare_exchange_strong(&core->parking, &done, PARK_NONE) && done != PARK_NONE) {
        return -EBUSY;
    }
    atomic_store(&core->verdict.reason, REASON_FIRED);
    atomic_store(&core->held, 0);
    return 0;
}

void core_park(struct core *core) {
    int32_t parking = atomic_load(&core->parking);
    core_drop_all(core);
    if (parking == PARK_NONE || parking == PARK_DONE) {
        atomic_compare_exchange_strong(&core->parking, &parking, PARK_ASKED);
    }
    core_ring(core);
}

int core_set_programme(struct core *core, const struct programme *programme) {
    for (int32_t i = 0; i < 3; i++) {
        struct slot_programme *slot = &core->programmes[i];
        int32_t state = atomic_load(&slot->state);
        if (i == atomic_load(&core->newest) || state == PROGRAMME_PLAYING ||
            !atomic_compare_exchange_strong(&slot->state, &state, PROGRAMME_FILLING)) {
            continue;
        }
        memcpy(&slot->programme, programme, sizeof *programme);
        atomic_store(&slot->state, PROGRAMME_READY);
        atomic_store(&core->newest, i);
        return 0;
    }
    return -EBUSY;
}
