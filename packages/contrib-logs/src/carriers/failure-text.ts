// Why a receiver was not reached, in words.

/** The system's words, with what to do where they do not tell it. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  const hint = code === undefined ? undefined : hints.get(code);
  return hint === undefined ? error.message : `${error.message}: ${hint}`;
}

const hints: ReadonlyMap<unknown, string> = new Map([
  [
    "EPROTOTYPE",
    "it is a socket for datagrams, which Node.js cannot write to; take journald, or an address of UDP or TCP",
  ],
]);
