/*
 * hello [LANGUAGE...]: prints the greeting of each language; without arguments, that of the configuration's default language.
 *
 * It runs in an image that holds nothing but its closure, so it uses no C library: Linux's system calls and nothing else.
 * CONFIGURATION is the configuration's store path, set by the compiler's command line. Its first line is the directory of the
 * greetings, one file per language; its second line is the default language.
 */

enum { STDOUT = 1, STDERR = 2, OPEN_READ_ONLY = 0, CURRENT_DIRECTORY = -100 };
enum { EXIT_DONE = 0, EXIT_UNKNOWN_LANGUAGE = 1, EXIT_BAD_CONFIGURATION = 78 };

#if defined(__x86_64__)

enum { SYS_READ = 0, SYS_WRITE = 1, SYS_CLOSE = 3, SYS_EXIT = 60, SYS_OPENAT = 257 };

static long system_call(long number, long a, long b, long c) {
  long result;
  register long d __asm__("r10") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(d)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n"
        "_start:\n"
        "  xor %ebp, %ebp\n"
        "  mov %rsp, %rdi\n"
        "  and $-16, %rsp\n"
        "  call start\n");

#elif defined(__aarch64__)

enum { SYS_OPENAT = 56, SYS_CLOSE = 57, SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93 };

static long system_call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = 0;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}

__asm__(".globl _start\n"
        "_start:\n"
        "  mov x29, #0\n"
        "  mov x0, sp\n"
        "  bl start\n");

#else
#error "hello knows the system calls of x86_64 and aarch64 only"
#endif

struct text {
  const char *start;
  long length;
};

static struct text text_of(const char *string) {
  struct text text = {string, 0};
  while (string[text.length] != '\0') text.length++;
  return text;
}

/* The next line of *rest without its end; *rest then begins after it. */
static struct text take_line(struct text *rest) {
  struct text line = {rest->start, 0};
  while (line.length < rest->length && line.start[line.length] != '\n') line.length++;
  long taken = line.length < rest->length ? line.length + 1 : line.length;
  rest->start += taken;
  rest->length -= taken;
  return line;
}

static void write_all(int file, struct text text) {
  while (text.length > 0) {
    long written = system_call(SYS_WRITE, file, (long)text.start, text.length);
    if (written <= 0) return;
    text.start += written;
    text.length -= written;
  }
}

/* The file's beginning in buffer; a length of -1 when it cannot be read. */
static struct text read_file(const char *path, char *buffer, long capacity) {
  struct text content = {buffer, 0};
  long file = system_call(SYS_OPENAT, CURRENT_DIRECTORY, (long)path, OPEN_READ_ONLY);
  if (file < 0) return (struct text){buffer, -1};
  for (;;) {
    long count = system_call(SYS_READ, file, (long)(buffer + content.length), capacity - content.length);
    if (count < 0) content.length = -1;
    if (count <= 0) break;
    content.length += count;
  }
  system_call(SYS_CLOSE, file, 0, 0);
  return content;
}

/* directory + "/" + name as a C string, or an empty one when it does not fit. */
static void join_path(struct text directory, struct text name, char *path, long capacity) {
  path[0] = '\0';
  if (directory.length + name.length + 2 > capacity) return;
  for (long i = 0; i < directory.length; i++) path[i] = directory.start[i];
  path[directory.length] = '/';
  for (long i = 0; i < name.length; i++) path[directory.length + 1 + i] = name.start[i];
  path[directory.length + 1 + name.length] = '\0';
}

static int greet(struct text greetings, struct text language) {
  char path[4096];
  char content[4096];
  join_path(greetings, language, path, sizeof path);
  struct text greeting = read_file(path, content, sizeof content);
  if (greeting.length >= 0) {
    write_all(STDOUT, greeting);
    return EXIT_DONE;
  }
  write_all(STDERR, text_of("hello: no greeting in this language: "));
  write_all(STDERR, language);
  write_all(STDERR, text_of("\n"));
  return EXIT_UNKNOWN_LANGUAGE;
}

static int run(long argument_count, char **arguments) {
  char content[4096];
  struct text rest = read_file(CONFIGURATION, content, sizeof content);
  if (rest.length < 0) {
    write_all(STDERR, text_of("hello: cannot read " CONFIGURATION "\n"));
    return EXIT_BAD_CONFIGURATION;
  }
  struct text greetings = take_line(&rest);
  struct text default_language = take_line(&rest);
  if (argument_count < 2) return greet(greetings, default_language);

  int status = EXIT_DONE;
  for (long i = 1; i < argument_count; i++) {
    int outcome = greet(greetings, text_of(arguments[i]));
    if (outcome != EXIT_DONE) status = outcome;
  }
  return status;
}

/* stack: the argument count, then the arguments' addresses, as the kernel leaves them. */
__attribute__((used, noreturn)) static void start(long *stack) {
  system_call(SYS_EXIT, run(stack[0], (char **)(stack + 1)), 0, 0);
  for (;;) {
  }
}
