// The environment variable by which a leader knows that it was started to take over from another one.

/** Has the process id of the leader that starts its successor. */
export const predecessorVariable = "HEMI_PREDECESSOR";
