// The names of the variables with which systemd passes sockets on, by themselves: see `ahead.ts`.

/** Meant for one process, and not for those that it starts. */
export const listenVariables = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] as const;
