// Reads the values of the command's options. Each function throws HEMI_USAGE, with what the option takes.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { nearestNames } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import { isLoopback } from "./control/loopback.ts";

export function readSlot(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw usage(`--worker takes the number of a worker, not ${JSON.stringify(text)}`);
  return Number(text);
}

export function readYear(text: string): number {
  if (!/^[12]\d{3}$/.test(text)) throw usage(`--year takes a year such as 2027, not ${JSON.stringify(text)}`);
  return Number(text);
}

export function readWorkers(text: string): number {
  // Limits of the container and of the process are counted.
  if (text === "auto") return availableParallelism();
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 256)
    throw usage(`--workers takes auto or a number from 1 to 256, not ${JSON.stringify(text)}`);
  return count;
}

/** Node.js takes names too, in some calls only; those of a directory service need their number. */
export function readId(option: "user" | "group", text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const entry = entriesOf(option === "user" ? "/etc/passwd" : "/etc/group").find(([name]) => name === text);
  if (entry !== undefined) return Number(entry[2]);
  throw usage(
    `--${option} takes a name of /etc/${option === "user" ? "passwd" : "group"} or a number, not ${JSON.stringify(text)}`,
  );
}

/** The main group of a user: a worker must not keep the group of the leader, which may be that of root. */
export function groupOf(user: string | undefined): number | undefined {
  if (user === undefined) return undefined;
  const isEntry = /^\d+$/.test(user)
    ? (fields: readonly string[]) => fields[2] === user
    : (fields: readonly string[]) => fields[0] === user;
  const entry = entriesOf("/etc/passwd").find(isEntry);
  if (entry === undefined) throw usage(`--user ${user} is not in /etc/passwd`, "give --group, too");
  return Number(entry[3]);
}

function entriesOf(file: string): readonly (readonly string[])[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    // Then numbers are needed.
    return [];
  }
}

export function readDuration(option: string, text: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`--${option} takes a duration such as 10s, not ${JSON.stringify(text)}`);
  return Number(digits) * (unit === "ms" ? 1 : unit === "s" ? 1000 : 60_000);
}

export function readSize(option: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,6})([MG])$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`--${option} takes a size such as 512M or 2G, not ${JSON.stringify(text)}`);
  return Number(digits) * (unit === "M" ? 1024 ** 2 : 1024 ** 3);
}

export function readAddress(option: string, text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, digits] = /^(?:\[([\da-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw usage(`--${option} takes an address such as 127.0.0.1:9000 or [::1]:9000, not ${JSON.stringify(text)}`);
  return { host, port };
}

export function readWebUI(text: string): { readonly host: string; readonly port: number } | undefined {
  if (text === "off") return undefined;
  const address = readAddress("webui", text.replace(/^localhost:/, "127.0.0.1:"));
  if (isLoopback(address.host)) return address;
  const advice = "give a loopback address, and reach it by ssh -L or by a proxy with TLS on this machine";
  throw usage(`--webui ${text} would send its token readable over the network`, advice);
}

export function oneOf<const Word extends string>(option: string, word: string, words: readonly Word[]): Word {
  const found = words.find((known) => known === word);
  if (found === undefined) throw usage(`--${option} takes ${listed(words)}, not ${JSON.stringify(word)}`);
  return found;
}

export function listed(words: readonly string[]): string {
  return words.length === 0 ? "no options" : words.join(", ");
}

export function didYouMean(name: string, names: readonly string[], prefix: string): string | undefined {
  const [nearest] = nearestNames(name, names);
  return nearest === undefined ? undefined : `did you mean ${prefix}${nearest}?`;
}

export function usage(what: string, advice = "see hemi help"): HemiError {
  return new HemiError("HEMI_USAGE", `${what}; ${advice}`);
}
