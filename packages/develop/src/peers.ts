// The real programs that tests talk to: found on the machine, or else the test says why it is skipped.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "vitest";

/** The Debian package that brings each peer; `.ci/run` installs them. */
export const debianPackages = {
  apache2: "apache2-bin",
  caddy: "caddy",
  chromium: "chromium",
  curl: "curl",
  dig: "bind9-dnsutils",
  dnsmasq: "dnsmasq-base",
  gtlsclient: "ngtcp2-client",
  gtlsserver: "ngtcp2-server",
  haproxy: "haproxy",
  h2load: "nghttp2-client",
  mariadb: "mariadb-client",
  mariadbd: "mariadb-server",
  nghttp: "nghttp2-client",
  nghttpd: "nghttp2-server",
  nginx: "nginx",
  openssl: "openssl",
  "php-fpm": "php-fpm",
  postgres: "postgresql",
  promtool: "prometheus",
  psql: "postgresql-client",
  python3: "python3-grpcio",
  "redis-cli": "redis-tools",
  "redis-server": "redis-server",
  rsyslogd: "rsyslog",
  ssh: "openssh-client",
  sshd: "openssh-server",
  varnishd: "varnish",
  wrk: "wrk",
} as const;

/** What a program of a peer loads, in a folder of the machine's architecture, with its Debian package. */
const debianFiles = {
  rsyslogTls: { file: "rsyslog/lmnsd_ossl.so", debianPackage: "rsyslog-openssl" },
} as const;

export type PeerName = keyof typeof debianPackages;

/**
 * The path of a peer's program, for use within a test: `const curl = peer("curl", context)`.
 *
 * If the program is missing the test is skipped, with the reason; where HEMI_DEMAND_PEERS=1 (continuous integration) it
 * fails.
 */
export function peer(name: PeerName, context: TestContext): string {
  const path = findPeer(name);
  if (path !== undefined) return path;
  return missing(`needs the program ${name} (Debian: apt-get install ${debianPackages[name]})`, context);
}

function missing(reason: string, context: TestContext): never {
  if (process.env["HEMI_DEMAND_PEERS"] === "1") throw new Error(reason);
  return context.skip(reason);
}

/** Demands what a program of a peer loads, as `peer` demands a program. */
export function peerFile(name: keyof typeof debianFiles, context: TestContext): void {
  const { file, debianPackage } = debianFiles[name];
  if (readdirSync("/usr/lib").some((folder) => existsSync(join("/usr/lib", folder, file)))) return;
  missing(`needs ${file} (Debian: apt-get install ${debianPackage})`, context);
}

/** The path of a peer's program, or undefined where it is not installed. */
export function findPeer(name: PeerName): string | undefined {
  // Only Debian's own Python has Debian's modules.
  if (name === "python3") return existsSync("/usr/lib/python3/dist-packages/grpc") ? "/usr/bin/python3" : undefined;
  // Servers stand in sbin, which is not on every user's PATH.
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/sbin",
    "/usr/local/sbin",
    ...postgresFolders(),
  ];
  return folders.map((folder) => join(folder, nameIn(folder, name))).find(isExecutable);
}

/** Debian puts the version behind some names: `php-fpm8.2`. */
function nameIn(folder: string, name: PeerName): string {
  if (name !== "php-fpm") return name;
  try {
    return readdirSync(folder).find((file) => /^php-fpm[\d.]*$/.test(file)) ?? name;
  } catch {
    return name;
  }
}

/** Debian keeps each version of the server in a folder of its own. */
function postgresFolders(): readonly string[] {
  try {
    return readdirSync("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
