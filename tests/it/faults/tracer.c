// Runs a command and makes one of its calls that change files go wrong.
//
//   tracer [-n N] [-m MODE] [-e ERRNO] [-r ROOT] [-c CALL] [-s TEXT] [-l LOG] [-x LINE] [-k STEP] -- COMMAND ...
//
//   -n N       the call that goes wrong, counted from 1 over the whole tree of processes and threads; 0, the default: none
//   -m MODE    kill       the tree is killed before the call
//              killafter  the tree is killed behind the call
//              half       half of what the call would write is written, then the tree is killed
//              once       the call fails
//              sticky     the call fails, and so do all that follow
//              run        nothing fails: the call waits while a shell runs LINE beside the tree
//              ask        nothing fails: a byte is written to the tracer's output, and the call waits for one from its input
//   -e ERRNO   what a call that fails says; 5 (EIO) by default. Of a full disk (28) only what takes space fails.
//   -r ROOT    only calls on paths below ROOT count
//   -c CALL    only calls of this name count: write, truncate, sync, open, mkdir, rename, link, symlink, unlink, rmdir, chmod
//   -s TEXT    only calls on paths that hold this text count
//   -l LOG     a line for each call that counts: its number, thread, name and path
//   -k STEP    with `run` and `ask`: again at every STEP-th call behind the N-th
//
// It exits as the command does, with 137 when it killed the command, with 250 when there are fewer than N calls, and with
// 251 when LINE did not exit with 0.
// Linux on x86_64: seccomp stops the calls in question and no others, ptrace changes them. No library is preloaded, so
// that a static program is seen as well, and every call is, whoever makes it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 137, NEVER_REACHED = 250, MEANWHILE_FAILED = 251, BROKEN = 99 };
enum mode { KILL, KILLAFTER, HALF, ONCE, STICKY, RUN, ASK, MODES };
static const char *const mode_names[MODES] = {"kill", "killafter", "half", "once", "sticky", "run", "ask"};

// What a call names: a file that is open, a path, or a directory that is open and a path in it. Of a call with two paths
// the second counts, which is the new one.
enum shape { FILE_OPEN, PATH, AT, PATH_2, AT_2, OPEN, OPEN_AT };
struct call {
  long number;
  const char *name;
  enum shape shape;
  int argument;  // which argument names it; of AT and AT_2 the directory, and the path follows
  int frees;     // a full disk does not stop it
};
static const struct call calls[] = {
    {SYS_write, "write", FILE_OPEN, 0, 0},          {SYS_pwrite64, "write", FILE_OPEN, 0, 0},
    {SYS_writev, "write", FILE_OPEN, 0, 0},         {SYS_pwritev, "write", FILE_OPEN, 0, 0},
    {SYS_copy_file_range, "write", FILE_OPEN, 2, 0}, {SYS_sendfile, "write", FILE_OPEN, 0, 0},
    {SYS_ftruncate, "truncate", FILE_OPEN, 0, 0},   {SYS_truncate, "truncate", PATH, 0, 0},
    {SYS_fallocate, "truncate", FILE_OPEN, 0, 0},   {SYS_fsync, "sync", FILE_OPEN, 0, 0},
    {SYS_fdatasync, "sync", FILE_OPEN, 0, 0},       {SYS_open, "open", OPEN, 0, 0},
    {SYS_openat, "open", OPEN_AT, 0, 0},            {SYS_creat, "open", PATH, 0, 0},
    {SYS_mkdir, "mkdir", PATH, 0, 0},               {SYS_mkdirat, "mkdir", AT, 0, 0},
    {SYS_rename, "rename", PATH_2, 0, 0},           {SYS_renameat, "rename", AT_2, 0, 0},
    {SYS_renameat2, "rename", AT_2, 0, 0},          {SYS_link, "link", PATH_2, 0, 0},
    {SYS_linkat, "link", AT_2, 0, 0},               {SYS_symlink, "symlink", PATH, 1, 0},
    {SYS_symlinkat, "symlink", AT, 1, 0},           {SYS_unlink, "unlink", PATH, 0, 1},
    {SYS_unlinkat, "unlink", AT, 0, 1},             {SYS_rmdir, "rmdir", PATH, 0, 1},
    {SYS_chmod, "chmod", PATH, 0, 1},               {SYS_fchmod, "chmod", FILE_OPEN, 0, 1},
    {SYS_fchmodat, "chmod", AT, 0, 1},
};
enum { CALLS = sizeof calls / sizeof *calls };

static const char *root = "", *only = "", *holds = "";

static _Noreturn void broken(const char *what) {
  perror(what);
  exit(BROKEN);
}

static unsigned long argument(const struct user_regs_struct *r, int n) {
  const unsigned long of[] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
  return of[n];
}

static void read_text(pid_t pid, unsigned long from, char *text) {
  size_t got = 0;
  while (got < PATH_MAX - 1) {
    // Page by page: what follows the text may not be there.
    size_t step = 4096 - ((from + got) & 4095);
    if (step > PATH_MAX - 1 - got) step = PATH_MAX - 1 - got;
    struct iovec here = {text + got, step}, there = {(void *)(from + got), step};
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) <= 0) break;
    if (memchr(text + got, 0, step)) return;
    got += step;
  }
  text[got] = 0;
}

static void path_of_file(pid_t pid, int file, char *path) {
  char link[64];
  if (file == AT_FDCWD)
    snprintf(link, sizeof link, "/proc/%d/cwd", pid);
  else
    snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, file);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
}

static void path_at(pid_t pid, int directory, unsigned long from, char *path) {
  char text[PATH_MAX], above[PATH_MAX];
  read_text(pid, from, text);
  above[0] = 0;
  if (text[0] != '/') path_of_file(pid, directory, above);
  // `.` and `..` are taken out by their letters: what is named need not be there.
  size_t length = 0;
  char whole[2 * PATH_MAX], *rest = whole;
  snprintf(whole, sizeof whole, "%s/%s", above, text);
  for (char *part; (part = strsep(&rest, "/"));) {
    if (!*part || !strcmp(part, ".")) continue;
    if (!strcmp(part, "..")) {
      while (length && path[--length] != '/') {
      }
    } else if (length + strlen(part) + 2 < PATH_MAX) {
      length += (size_t)sprintf(path + length, "/%s", part);
    }
  }
  path[length] = 0;
}

// The call that this thread is about to make, if it counts.
static const struct call *counted(pid_t pid, const struct user_regs_struct *r, char *path) {
  const struct call *call = NULL;
  for (int i = 0; i < CALLS; i++)
    if (calls[i].number == (long)r->orig_rax) call = &calls[i];
  if (!call) return NULL;
  int n = call->argument;
  switch (call->shape) {
    case FILE_OPEN: path_of_file(pid, (int)argument(r, n), path); break;
    case OPEN:
      if (!(r->rsi & (O_CREAT | O_TRUNC))) return NULL;
      path_at(pid, AT_FDCWD, r->rdi, path);
      break;
    case OPEN_AT:
      if (!(r->rdx & (O_CREAT | O_TRUNC))) return NULL;
      path_at(pid, (int)r->rdi, r->rsi, path);
      break;
    case PATH: path_at(pid, AT_FDCWD, argument(r, n), path); break;
    case AT: path_at(pid, (int)argument(r, n), argument(r, n + 1), path); break;
    case PATH_2: path_at(pid, AT_FDCWD, r->rsi, path); break;
    case AT_2: path_at(pid, (int)r->rdx, r->r10, path); break;
  }
  size_t length = strlen(root);
  int below = path[0] == '/' && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
  int wanted = (!*only || !strcmp(only, call->name)) && strstr(path, holds);
  return below && wanted ? call : NULL;
}

static _Noreturn void become(char **command) {
  struct sock_filter filter[CALLS + 3];
  filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < CALLS; i++)
    filter[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, CALLS - i, 0);
  filter[CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  struct sock_fprog program = {CALLS + 3, filter};
  setpgid(0, 0);
  if (ptrace(PTRACE_TRACEME, 0, 0, 0)) broken("ptrace");
  raise(SIGSTOP);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) broken("seccomp");
  execvp(command[0], command);
  broken(command[0]);
}

// Kills the whole tree and waits until it is dead, so that nothing moves when the next command looks.
static int kill_all(pid_t group, FILE *log) {
  if (log) fclose(log);
  kill(-group, SIGKILL);
  for (int status; waitpid(-1, &status, __WALL) > 0 || errno == EINTR;) {
  }
  return KILLED;
}

// Runs a line of shell, which is not traced, to its end. What else the tree is about to do waits in line.
static int run(const char *line) {
  pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
  }
  int status;
  while (waitpid(pid, &status, 0) != pid)
    if (errno != EINTR) broken(line);
  return status;
}

// Whoever started the tracer looks at the disk, and says when that is done.
static int ask(void) {
  char byte = '.';
  return write(1, &byte, 1) != 1 || read(0, &byte, 1) != 1;
}

int main(int count, char **words) {
  int wanted = 0, step = 0, error = EIO, option, failed = 0;
  const char *line = "";
  enum mode mode = KILL;
  FILE *log = NULL;
  while ((option = getopt(count, words, "+n:m:e:r:c:s:l:x:k:")) != -1) switch (option) {
      case 'n': wanted = atoi(optarg); break;
      case 'e': error = atoi(optarg); break;
      case 'k': step = atoi(optarg); break;
      case 'x': line = optarg; break;
      case 'c': only = optarg; break;
      case 's': holds = optarg; break;
      case 'r':
        if (!(root = realpath(optarg, NULL))) broken(optarg);
        break;
      case 'l':
        if (!(log = fopen(optarg, "we"))) broken(optarg);
        break;
      case 'm':
        for (mode = 0; mode < MODES && strcmp(optarg, mode_names[mode]); mode++) {
        }
        if (mode < MODES) break;
        // fall through
      default: fprintf(stderr, "its first comment says how it is used\n"); return BROKEN;
    }
  if (optind >= count) return BROKEN;

  pid_t child = fork();
  if (child == 0) become(words + optind);
  int status, at = 0, result = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) broken("the command");
  long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, options)) broken("ptrace");
  ptrace(PTRACE_CONT, child, 0, 0);

  pid_t pid;
  while ((pid = waitpid(-1, &status, __WALL)) > 0) {
    if (!WIFSTOPPED(status)) {
      if (pid == child) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      continue;
    }
    int stopped_by = WSTOPSIG(status), event = status >> 16;
    // The only stop behind a call that is asked for: the one to be killed after.
    if (stopped_by == (SIGTRAP | 0x80)) return kill_all(child, log);
    if (event == PTRACE_EVENT_SECCOMP) {
      struct user_regs_struct r;
      char path[PATH_MAX];
      const struct call *call = ptrace(PTRACE_GETREGS, pid, 0, &r) ? NULL : counted(pid, &r, path);
      if (call) {
        at++;
        if (log) fprintf(log, "%d %d %s %s\n", at, pid, call->name, path), fflush(log);
        if (wanted && at == wanted && mode == KILL) return kill_all(child, log);
        if (wanted && at == wanted && (mode == KILLAFTER || mode == HALF)) {
          int writes = r.orig_rax == SYS_write || r.orig_rax == SYS_pwrite64;
          if (mode == HALF && writes) r.rdx /= 2, ptrace(PTRACE_SETREGS, pid, 0, &r);
          ptrace(PTRACE_SYSCALL, pid, 0, 0);
          continue;
        }
        int waits = wanted && at >= wanted && (step ? (at - wanted) % step == 0 : at == wanted);
        if (waits && (mode == RUN || mode == ASK)) failed |= mode == RUN ? run(line) : ask();
        int fails = wanted && (mode == ONCE ? at == wanted : mode == STICKY && at >= wanted);
        if (fails && !(error == ENOSPC && call->frees)) {
          r.orig_rax = (unsigned long)-1;
          r.rax = (unsigned long)-error;
          ptrace(PTRACE_SETREGS, pid, 0, &r);
        }
      }
    }
    int signal = event || stopped_by == SIGTRAP || stopped_by == SIGSTOP ? 0 : stopped_by;
    ptrace(PTRACE_CONT, pid, 0, signal);
  }
  if (log) fclose(log);
  return wanted && at < wanted ? NEVER_REACHED : failed && !result ? MEANWHILE_FAILED : result;
}
