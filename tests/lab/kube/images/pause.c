#include <signal.h>
#include <unistd.h>

static void end(int signal) { _exit(0); }

/* Holds a pod's namespaces until it is told to end. */
int main(void) {
  signal(SIGINT, end);
  signal(SIGTERM, end);
  for (;;) pause();
}
