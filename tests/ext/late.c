/* What a pacer that comes late makes of what should have happened: the same, in the same order.
 *
 * Time is moved by hand and the step comes after everything; only here can that be repeated.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"

static struct core core;
static int far;
static int failures;

static void expect(const char *what, int64_t seen, int64_t wanted) {
    if (seen != wanted) {
        printf("%s: %lld instead of %lld\n", what, (long long)seen, (long long)wanted);
        failures++;
    }
}

static void begin(void) {
    int ends[2];
    memset(&core, 0, sizeof core);
    if (core_init(&core, 1, 1) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        _exit(2);
    }
    far = ends[1];
    expect("channel", core_add_wire(&core, ends[0]), 0);
}

static int64_t arm(int64_t deadline_ns, int64_t latest_ns, const char *text) {
    struct order order = {.deadline_ns = deadline_ns,
                          .latest_ns = latest_ns,
                          .data = (const uint8_t *)text,
                          .size = (uint32_t)strlen(text)};
    return core_arm(&core, &order);
}

static void step_at(int64_t now_ns) {
    core_set_now(&core, now_ns);
    core_step(&core, now_ns);
}

static void sent(const char *wanted) {
    char data[64] = "";
    ssize_t size = recv(far, data, sizeof data - 1, MSG_DONTWAIT);
    data[size > 0 ? size : 0] = '\0';
    if (strcmp(data, wanted) != 0) {
        printf("sent '%s' instead of '%s'\n", data, wanted);
        failures++;
    }
}

static void verdict(enum reason reason, int64_t entry) {
    int32_t channel;
    int64_t about;
    int error;
    expect("reason", core_verdict(&core, &channel, &about, &error), reason);
    expect("entry", reason == REASON_FIRED ? entry : about, entry);
}

static void confirmed_in_time_is_late(void) {
    begin();
    int64_t entry = arm(10, 20, "a");
    core_confirm(&core, entry);
    step_at(21);
    verdict(REASON_LATE, entry);
    sent("");
}

static void confirmed_too_late_is_unconfirmed(void) {
    begin();
    int64_t entry = arm(10, 20, "a");
    core_set_now(&core, 21);
    core_confirm(&core, entry);
    step_at(25);
    verdict(REASON_UNCONFIRMED, entry);
}

static void within_the_window_it_fires(void) {
    begin();
    core_confirm(&core, arm(12, 90, "b"));
    core_confirm(&core, arm(10, 90, "a"));
    step_at(50);
    verdict(REASON_FIRED, 0);
    sent("ab");
}

static void order_is_that_of_time(void) {
    begin();
    core_confirm(&core, arm(19, 90, "before"));
    int64_t missed = arm(10, 19, "never confirmed");
    core_confirm(&core, arm(20, 90, "after"));
    core_lease(&core, 21);
    step_at(50);
    sent("before");
    expect("parking", core_parking(&core), PARK_DONE); /* the lease too has passed */
    (void)missed;
}

static void a_lease_comes_first_if_it_ended_first(void) {
    begin();
    core_confirm(&core, arm(15, 90, "in the lease"));
    core_confirm(&core, arm(16, 90, "after it"));
    core_lease(&core, 16);
    step_at(50);
    sent("in the lease");
    verdict(REASON_LEASE, 0);
}

static void a_released_wire_that_stayed_busy(void) {
    begin();
    int64_t entry = arm(10, 20, "a");
    core_confirm(&core, entry);
    expect("acquire", core_acquire(&core, 0, 5), 0);
    step_at(15);
    core_set_now(&core, 25);
    core_release(&core, 0);
    step_at(25);
    verdict(REASON_BUSY, entry);
}

/* A wire that takes two bytes at a time, and none every other time. */
static char taken[32];

static int64_t take(void *calls, int32_t channel, const uint8_t *data, size_t size) {
    int *count = calls;
    size_t some = size < 2 ? size : 2;
    if (channel == 1 && (*count)++ % 2 == 1) {
        return 0;
    }
    strncat(taken, (const char *)data, some);
    return (int64_t)some;
}

static void ignore(void *calls, const struct safe_step *step, int64_t due_ns, int64_t end) {
    (void)calls;
    (void)due_ns;
    expect("bytes of a step", end, (int64_t)step->size);
}

static void a_slow_wire_keeps_the_order_of_its_steps(void) {
    static const struct programme programme = {
        .count = 3, .steps = {{0, 1, 5, "abcde"}, {0, 1, 3, "fgh"}, {0, 2, 2, "XY"}}};
    static struct playing playing;
    int calls = 0;
    const struct player player = {&calls, take, ignore};
    int64_t now_ns = 100;
    programme_start(&playing, now_ns);
    for (int plays = 0; plays < 50 && now_ns != CLOCK_NEVER; plays++) {
        now_ns = programme_play(&programme, &playing, now_ns, &player);
    }
    expect("end", now_ns, CLOCK_NEVER);
    expect("steps", playing.sent_steps, 3);
    if (strcmp(taken, "abXYcdefgh") != 0) {
        printf("taken '%s'\n", taken);
        failures++;
    }
}

static void a_command_cut_short_is_choked(void) {
    int calls = 0;
    begin();
    struct order order = {.deadline_ns = 10, .latest_ns = 90, .data = (const uint8_t *)"RUN",
                          .size = 3, .channel = core_add_call(&core, take, &calls)};
    int64_t entry = core_arm(&core, &order);
    core_confirm(&core, entry);
    step_at(10);
    verdict(REASON_CHOKED, entry);
}

int main(void) {
    a_slow_wire_keeps_the_order_of_its_steps();
    a_command_cut_short_is_choked();
    confirmed_in_time_is_late();
    confirmed_too_late_is_unconfirmed();
    within_the_window_it_fires();
    order_is_that_of_time();
    a_lease_comes_first_if_it_ended_first();
    a_released_wire_that_stayed_busy();
    return failures == 0 ? 0 : 1;
}
