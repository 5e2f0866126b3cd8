// SPDX-License-Identifier: Apache-2.0
// How many instructions system calls take, in a machine of QEMU's in which the time stamp counter counts them
// (-icount shift=0). Of many rounds the one with the fewest, which no interrupt and no other process came
// into. Works in the current directory. Prints a name and a number a line.
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

enum { kRounds = 200, kCalls = 50, kTurns = 100000 };

static void loop(void) {
  uint64_t turns = kTurns;
  __asm__ volatile("1: dec %0\n jnz 1b" : "+r"(turns) : : "cc");  // two instructions a turn
}
static void call_getppid(void) { syscall(SYS_getppid); }
static void call_rename(void) {
  static int odd = 0;
  const char* const names[] = {"call-cost-a", "call-cost-b"};
  if (syscall(SYS_rename, names[odd], names[!odd]) != 0) perror("rename");
  odd = !odd;
}
static char names_from_root[2][PATH_MAX + 16];
static void call_rename_absolute(void) {
  static int odd = 0;
  if (syscall(SYS_rename, names_from_root[odd], names_from_root[!odd]) != 0) perror("rename");
  odd = !odd;
}

// Instructions of one call of `function`.
static double cost(void (*function)(void), int calls) {
  uint64_t least = UINT64_MAX;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t before = __rdtsc();
    for (int i = 0; i < calls; ++i) function();
    const uint64_t taken = __rdtsc() - before;
    if (taken < least) least = taken;
  }
  return (double)least / calls;
}

int main(void) {
  close(open("call-cost-a", O_CREAT | O_WRONLY, 0600));
  printf("turn %.3f\n", cost(loop, 1) / kTurns);
  printf("getppid %.1f\n", cost(call_getppid, kCalls));
  printf("rename %.1f\n", cost(call_rename, kCalls));
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == NULL) return 1;
  for (int i = 0; i < 2; ++i)
    snprintf(names_from_root[i], sizeof names_from_root[i], "%s/call-cost-%c", directory, 'a' + i);
  printf("rename_absolute %.1f\n", cost(call_rename_absolute, kCalls));
  return 0;
}
