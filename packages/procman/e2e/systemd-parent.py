# What systemd is for a program: binds a socket for it, and hears what it tells about its state.
# usage: systemd-parent.py FOLDER COMMAND [ARGUMENT ...]
# Prints the messages of the program, one a line; ends with its main process, which may change (MAINPID).
import ctypes, os, re, socket, sys

PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

folder, command = sys.argv[1], sys.argv[2:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(os.path.join(folder, "notify.sock"))
notify.settimeout(0.1)

web = socket.socket()
web.bind(("127.0.0.1", 0))
web.listen(100)
port = str(web.getsockname()[1])
other = socket.socket()
other.bind(("127.0.0.1", 0))
other.listen(100)

child = os.fork()
if child == 0:
    os.dup2(web.fileno(), 63)
    os.dup2(other.fileno(), 64)
    os.dup2(63, 3)
    os.dup2(64, 4)
    os.closerange(5, 100)
    os.environ.update(
        LISTEN_FDS="2",
        LISTEN_FDNAMES="web:spare",
        LISTEN_PID=str(os.getpid()),
        NOTIFY_SOCKET=os.path.join(folder, "notify.sock"),
        WATCHDOG_USEC="4000000",
        WATCHDOG_PID=str(os.getpid()),
        PORT=port,
    )
    os.execvp(command[0], command)

web.close()
other.close()
print("PID", child, flush=True)
main = child
while True:
    try:
        message, fds, _, _ = socket.recv_fds(notify, 4096, 8)
        # systemd-notify waits until its descriptor is closed: then the message was read.
        for fd in fds:
            os.close(fd)
        if not message.startswith(b"BARRIER"):
            print(message.decode().strip().replace("\n", " "), flush=True)
            main = int((re.findall(rb"MAINPID=(\d+)", message) or [main])[-1])
    except TimeoutError:
        ended = os.waitpid(-1, os.WNOHANG)[0]
        if ended == main:
            break
        if ended != 0:
            print("ENDED", ended, flush=True)
