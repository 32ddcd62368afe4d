// Who may use a server that connects to anywhere: clients by address, others by name and password.

import { createHash, timingSafeEqual } from "node:crypto";
import { type CheckContext, prop, type PropsOf } from "@hemi/internal";

/** Spread this into the props of a component. */
export const clientAccessProps = {
  /** Clients that need no name and password: CIDRs or single addresses. */
  allow: prop.addresses({ default: ["127.0.0.0/8", "::1"], reload: "live" }),
  /**
   * Names and passwords of all other clients. Take the passwords from the environment with `%env(NAME)`. Without any,
   * all other clients are refused.
   */
  users: prop.dict(prop.string({ minLength: 1 }), { default: {}, reload: "live" }),
  /** Ports that may be connected to. `()`: all. */
  ports: prop.list(prop.integer({ min: 1, max: 65535 }), { default: [], reload: "live" }),
  /**
   * Addresses that may be connected to although they are private, loopback, link-local, multicast or otherwise special.
   * Clients get the same access to them as this machine. A name that has only other special addresses is refused.
   */
  allowAddresses: prop.addresses({ default: [], reload: "live" }),
};

/** Spread this into the props of a server that reads requests itself. */
export const handshakeProps = {
  /** Time limit for the request of a client, and for the connection to its target. After that it is closed. */
  handshakeTimeout: prop.duration({ default: "15s", min: "1ms", max: "2m", reload: "live" }),
};

export type ClientAccessSettings = PropsOf<typeof clientAccessProps>;

/** Warns of a server that anyone may use: an open proxy. */
export function checkClientAccess(context: CheckContext<ClientAccessSettings>): void {
  const { allow } = context.props;
  if (!allow.texts.some((text) => text.endsWith("/0"))) return;
  context.warn({ prop: "allow", message: "anyone may connect to anywhere through it: an open proxy" });
}

export function isRightPassword({ users }: ClientAccessSettings, name: string, password: string): boolean {
  const known = users.get(name);
  // The time that it takes tells nothing about the password.
  const isSame = timingSafeEqual(digest(password), digest(known ?? ""));
  return known !== undefined && isSame;
}

/**
 * Whether a client of an HTTP proxy may use it: by its address, or by name and password in the field
 * `proxy-authorization` (RFC 7617).
 */
export function mayUse(settings: ClientAccessSettings, address: string, proxyAuthorization = ""): boolean {
  if (settings.allow.contains(address)) return true;
  const [, token = ""] = /^basic +([\w+/=]+)$/i.exec(proxyAuthorization) ?? [];
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(token, "base64").toString()) ?? [];
  return name !== undefined && password !== undefined && isRightPassword(settings, name, password);
}

/** The field `proxy-authenticate` of a response with 407. */
export const passwordChallenge = 'Basic realm="tunnel"';

export function mayReachPort({ ports }: ClientAccessSettings, port: number): boolean {
  return port > 0 && (ports.length === 0 || ports.includes(port));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
