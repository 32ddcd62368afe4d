// Which paths static keeps to itself.

/** Whether a segment begins with a dot: `.env`, `.git/config`; but for what is in `/.well-known/` (RFC 8615). */
export function isHidden(path: string): boolean {
  return path.includes("/.", path.startsWith("/.well-known/") ? 1 : 0);
}
