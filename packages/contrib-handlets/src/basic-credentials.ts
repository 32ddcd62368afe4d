// Name and password, as the field `authorization` carries them (RFC 7617 2).

export interface BasicCredentials {
  /** In Unicode's form NFC; holds no colon. */
  readonly user: string;
  readonly password: string;
}

/** `undefined` for no field, for another scheme, and for what is not UTF-8 in base64 or holds control characters. */
export function readBasicCredentials(field: string | undefined): BasicCredentials | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const text = decode(Buffer.from(encoded, "base64"));
  const colon = text?.indexOf(":") ?? -1;
  if (text === undefined || colon < 1 || /\p{Cc}/u.test(text)) return undefined;
  return { user: text.slice(0, colon).normalize("NFC"), password: text.slice(colon + 1) };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
