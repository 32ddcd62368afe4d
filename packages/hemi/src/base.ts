// What a process needs that supervises others and serves nothing itself: errors, the error log, listening sockets.

export * from "@hemi/internal/base";
