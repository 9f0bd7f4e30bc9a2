// A plugin of qemu's user emulators: counts the instructions that a thread executes between two calls of the system by a number that no call has, and prints them.
// What it needs of qemu-plugin.h, which Debian does not ship, is declared here; version 1 of the interface is QEMU 4.2's to 9.0's.
#include <stdint.h>
#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))
enum { MARK = 0x4D51, THREADS = 256, NO_REGISTERS = 0 };

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

EXPORT int qemu_plugin_version = 1;

static uint64_t executed[THREADS], begun[THREADS];

static void on_block(unsigned thread, void *instructions) { executed[thread % THREADS] += (uintptr_t)instructions; }

static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, NO_REGISTERS, (void *)qemu_plugin_tb_n_insns(block));
}

static void on_call(plugin_id id, unsigned thread, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    thread %= THREADS;
    if (number != MARK)
        return;
    if (begun[thread] != 0) {
        printf("%llu\n", (unsigned long long)(executed[thread] - begun[thread]));
        fflush(stdout);
        begun[thread] = 0;
    } else {
        begun[thread] = executed[thread];
    }
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments)
{
    (void)info, (void)count, (void)arguments;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_call);
    return 0;
}
