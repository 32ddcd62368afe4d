// The table of error codes. A test checks that the table, the docs and the code match.

/** Every code of a HemiError, with its meaning in one line. */
export const errorCodes = {
  // The configuration
  HEMI_CONFIG_SYNTAX: "the text does not follow the grammar of the configuration language",
  HEMI_CONFIG_INCLUDE: "an included file is missing, unreadable, or includes itself",
  HEMI_CONFIG_UNKNOWN_SIGN: "no pack in use has a component with this sign",
  HEMI_CONFIG_MISPLACED: "the kind of a component is not allowed at this place",
  HEMI_CONFIG_NAME: "a component has no name but needs one, has a name but may not, or has the name of a sibling",
  HEMI_CONFIG_UNKNOWN_PROP: "the component has no property of this name",
  HEMI_CONFIG_DUPLICATE_PROP: "a property is set twice in one component",
  HEMI_CONFIG_MISSING_PROP: "a required property is not set",
  HEMI_CONFIG_BAD_VALUE: "a property's value has the wrong type or is out of bounds",
  HEMI_CONFIG_CONSTANT: "there is no constant of this name",
  HEMI_CONFIG_ENV: "an environment variable is not set and has no default",
  HEMI_CONFIG_REFERENCE: "a reference names nothing, itself, or takes part in a circle",
  HEMI_CONFIG_CONDITION: "a condition uses an unknown variable, operator or pattern",
  HEMI_CONFIG_DOUBT: "a warning: what stands here is allowed, and most likely not what was meant; it is never thrown",
  HEMI_CONFIG_SIGN_CONFLICT: "two packs define the same sign",
  // The stage
  HEMI_STAGE_CREATE: "a component could not be created",
  HEMI_STAGE_PREPARE: "a component could not be prepared",
  HEMI_STAGE_START: "a component could not be started",
  HEMI_STAGE_RELOAD: "a running stage cannot follow a change of its configuration",
  HEMI_STAGE_SHUTDOWN: "a component could not be shut down",
  HEMI_STAGE_STATE: "the stage is not in a state in which this can be done",
  // The environment
  HEMI_LISTEN: "an address cannot be listened on",
  HEMI_NAME: "a host name does not exist or cannot be looked up",
  HEMI_FILE: "a file cannot be read or written",
  HEMI_CERTIFICATE: "a certificate or its key cannot be used",
  HEMI_MODULE: "a module cannot be loaded or does not export what it must",
  // Processes
  HEMI_PROCESS: "another process of the program does not answer as it must, or has ended",
  // Use
  HEMI_USAGE: "the command or the call was used wrongly",
  // Requests and responses
  HEMI_HEAD_SENT: "the head of the response has been sent and can no longer be changed",
  HEMI_BAD_FIELD: "a header field's name or value holds a character that it may not hold",
  HEMI_CONTENT_READ: "the content of the request has been read already",
  HEMI_CONTENT_TOO_LARGE: "the content of the request is larger than allowed",
  HEMI_CONTENT_BROKEN: "the content of the request ended early or is malformed",
  HEMI_PEER_GONE: "the peer has gone before the exchange was complete",
  HEMI_TIMEOUT: "a wait went past its limit",
  // Backends
  HEMI_BACKEND_BUSY: "no node of a backend can take more work",
  HEMI_BACKEND_DIAL: "a node of a backend cannot be connected to",
  HEMI_BACKEND_BROKEN: "a node of a backend broke off, or sent what cannot be understood",
} as const;

/** The code of a HemiError, such as `HEMI_LISTEN`. */
export type ErrorCode = keyof typeof errorCodes;
