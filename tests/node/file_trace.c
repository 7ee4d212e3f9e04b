/* Writes down what a process does to the files under $LOA_ROOT, in order, with the bytes: `file_trace.py` reads
   it. Loaded with LD_PRELOAD. One record: kind, length of the path, path, offset, length of the data, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int out = -1;
static char root[4096];
static size_t root_len;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);

__attribute__((constructor)) static void begin(void) {
  const char *trace = getenv("LOA_TRACE"), *where = getenv("LOA_ROOT");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  if (!trace || !where) return;
  strncpy(root, where, sizeof root - 1);
  root_len = strlen(root);
  out = open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void record(char kind, const char *path, uint64_t at, const void *data, uint32_t len) {
  if (out < 0 || strncmp(path, root, root_len) != 0) return;
  uint16_t n = (uint16_t)strlen(path);
  char head[1 + 2];
  head[0] = kind;
  memcpy(head + 1, &n, 2);
  pthread_mutex_lock(&lock);
  real_write(out, head, 3);
  real_write(out, path, n);
  real_write(out, &at, 8);
  real_write(out, &len, 4);
  if (len) real_write(out, data, len);
  pthread_mutex_unlock(&lock);
}

static const char *path_of(int fd, char *into) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, into, 4095);
  into[n < 0 ? 0 : n] = 0;
  return into;
}

ssize_t write(int fd, const void *data, size_t len) {
  char path[4096];
  off64_t at = fd == out ? 0 : lseek64(fd, 0, SEEK_CUR);
  ssize_t n = real_write(fd, data, len);
  if (fd != out && n > 0 && at >= 0) record('W', path_of(fd, path), (uint64_t)at, data, (uint32_t)n);
  return n;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
  char path[4096];
  ssize_t n = real_pwrite(fd, data, len, at);
  if (n > 0) record('W', path_of(fd, path), (uint64_t)at, data, (uint32_t)n);
  return n;
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return pwrite64(fd, data, len, at); }

#define REAL(name) (dlsym(RTLD_NEXT, name))
int ftruncate64(int fd, off64_t size) {
  char path[4096];
  int n = ((int (*)(int, off64_t))REAL("ftruncate64"))(fd, size);
  if (!n) record('T', path_of(fd, path), (uint64_t)size, 0, 0);
  return n;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static void synced(int fd) {
  char path[4096];
  struct stat found;
  if (fstat(fd, &found) == 0) record(S_ISDIR(found.st_mode) ? 'D' : 'S', path_of(fd, path), 0, 0, 0);
}
int fsync(int fd) { synced(fd); return ((int (*)(int))REAL("fsync"))(fd); }
int fdatasync(int fd) { synced(fd); return ((int (*)(int))REAL("fdatasync"))(fd); }

int rename(const char *from, const char *to) {
  int n = ((int (*)(const char *, const char *))REAL("rename"))(from, to);
  if (!n) record('R', from, 0, to, (uint32_t)strlen(to));
  return n;
}
int unlink(const char *path) {
  int n = ((int (*)(const char *))REAL("unlink"))(path);
  if (!n) record('U', path, 0, 0, 0);
  return n;
}

static int opened(const char *name, int fd, int flags, int fresh) {
  if (fd >= 0 && fresh && (flags & O_CREAT)) record('C', name, 0, 0, 0);
  if (fd >= 0 && !fresh && (flags & O_TRUNC)) record('T', name, 0, 0, 0);
  return fd;
}
static int is_new(const char *name) { return access(name, F_OK) != 0; }
#define OPEN(symbol)                                                              \
  int symbol(const char *name, int flags, ...) {                                  \
    va_list more;                                                                 \
    va_start(more, flags);                                                        \
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;                   \
    va_end(more);                                                                 \
    int fresh = is_new(name);                                                     \
    return opened(name, ((int (*)(const char *, int, mode_t))REAL(#symbol))(name, flags, mode), flags, fresh); \
  }
OPEN(open)
OPEN(open64)
