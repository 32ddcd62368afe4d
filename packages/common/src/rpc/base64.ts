// Base64 as RPC protocols use it: with or without padding, in either alphabet. Written without Node.js.

/** With the standard alphabet, without padding, as gRPC recommends for metadata. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // In parts: a call takes a limited number of arguments.
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(binary).replace(/=+$/, "");
}

/** With the alphabet for URLs, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

/** `undefined` for a text that is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
