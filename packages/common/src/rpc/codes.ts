// The codes of RPC errors: those of gRPC, by the names that Connect gives them.

/** Every code with its number on the wire of gRPC. What each one means: https://grpc.io/docs/guides/status-codes/ */
export const rpcCodes = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
} as const;

/** Why a call failed, in one word: `not_found`. */
export type RpcCode = keyof typeof rpcCodes;

/** Whether a text is one of the codes. */
export function isRpcCode(text: unknown): text is RpcCode {
  return typeof text === "string" && Object.hasOwn(rpcCodes, text);
}

/** The code with a number of gRPC; `unknown` for a number that has none. */
export function codeOfNumber(number: number): RpcCode {
  // Their numbers are 1, 2 and so on.
  const name = Object.keys(rpcCodes)[number - 1];
  return isRpcCode(name) ? name : "unknown";
}

/** The HTTP status of a unary Connect response with a code (https://connectrpc.com/docs/protocol/#error-codes). */
export function httpStatusOf(code: RpcCode): number {
  return httpStatuses[code];
}

const httpStatuses: Readonly<Record<RpcCode, number>> = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
};

/** The code for an HTTP response that no RPC server made, such as that of a proxy (Connect: HTTP to error code). */
export function codeOfHttpStatus(status: number): RpcCode {
  return codesOfStatus[status] ?? "unknown";
}

const codesOfStatus: { readonly [status: number]: RpcCode | undefined } = {
  400: "internal",
  401: "unauthenticated",
  403: "permission_denied",
  404: "unimplemented",
  429: "unavailable",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};
