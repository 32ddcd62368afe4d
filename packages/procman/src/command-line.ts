// Parses the command line of `hemi`.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nearestNames } from "@hemi/common";
import { HemiError, logLevels, type LogLevel } from "@hemi/hemi/base";
import { isLoopback } from "./control/loopback.ts";

export const commandNames = [
  "serve",
  "check",
  "explain",
  "plan",
  "reload",
  "rework",
  "reopen",
  "workers",
  "leader",
  "pids",
  "top",
  "status",
  "cpu",
  "heap",
  "report",
  "loop",
  "gc",
  "advise",
  "backend",
  "logs",
  "log-level",
  "trace",
  "cache",
  "rpc",
  "cron",
  "webui",
  "quit",
  "stop",
  "fmt",
  "hash-password",
  "help",
  "version",
] as const;
export type CommandName = (typeof commandNames)[number];

/** What a program presets; the options of the command line win. */
export interface ProgramDefaults {
  /** Its name, in the list of processes. */
  readonly title: string;
  /** What it does when no command is given. */
  readonly command: CommandName;
  readonly config: string;
  readonly base: string;
  /** The modules of the program; those of the command line come after them. */
  readonly use: readonly string[];
}

/** The `hemi` command: everything is in the working directory. */
export const hemiDefaults: ProgramDefaults = {
  title: "hemi",
  command: "help",
  config: "hemi.conf",
  base: process.cwd(),
  use: [],
};

/** The parsed command line. */
export interface CommandLine {
  readonly command: CommandName;
  /** The name of the program. */
  readonly title: string;
  /** The configuration file. Default: `hemi.conf`. */
  readonly config: string;
  readonly isConfigGiven: boolean;
  /** The base directory of relative paths in the configuration. Default: the working directory. */
  readonly base: string;
  /** `%logsDir`. `undefined`: `logs` in the base directory; the same for the two others. */
  readonly logsDir: string | undefined;
  readonly tmpsDir: string | undefined;
  /** `%varsDir`, where the control socket is, too. */
  readonly varsDir: string | undefined;
  /** serve: one process, which serves itself. */
  readonly isSingle: boolean;
  /** serve: how many workers. */
  readonly workers: number;
  /** serve: start the program in the background. */
  readonly isDaemon: boolean;
  /** serve: workers above so much resident memory are replaced, in bytes; `undefined`: there is no limit. */
  readonly maxMemory: number | undefined;
  /** Where the program takes commands over TCP; `undefined`: nowhere. */
  readonly admin: { readonly host: string; readonly port: number } | undefined;
  /** The file of its token; `undefined`: `admin.token` in the folder of `varsDir`. */
  readonly adminToken: string | undefined;
  /** serve: files for TLS there. */
  readonly adminCertificate: string | undefined;
  readonly adminKey: string | undefined;
  /** Commands for a program: the authority of its certificate. */
  readonly adminAuthority: string | undefined;
  /** serve: where the web UI is; `undefined`: nowhere. */
  readonly webUI: { readonly host: string; readonly port: number } | undefined;
  /** reload: by new workers. */
  readonly isRework: boolean;
  /** rework: by those of a new leader. */
  readonly isLeader: boolean;
  /** explain: the running program, instead of a file. */
  readonly isRunning: boolean;
  /** serve: where the process id of the leader is written; `undefined`: nowhere. */
  readonly pidFile: string | undefined;
  /** serve: files for standard output and standard error of workers; `undefined`: those of the leader. */
  readonly stdout: string | undefined;
  readonly stderr: string | undefined;
  /** serve: how long the program serves on before it stops listening, while its health check fails, in milliseconds. */
  readonly drainDelay: number;
  /** serve: how long the event loop of a worker may stand still, in milliseconds; 0: for ever. */
  readonly stall: number;
  /**
   * serve: how long the check of a configuration, the preparation of a reload, and the start of a new leader may take,
   * in milliseconds. A worker of a running program may take twice as long to start.
   */
  readonly patience: number;
  /** serve: the user and group ids of workers; `undefined`: those of the leader. */
  readonly user: number | undefined;
  readonly group: number | undefined;
  /** Modules whose default exports are packs. */
  readonly use: readonly string[];
  /** fmt, rpc: report files that would change, and change nothing. */
  readonly isCheck: boolean;
  /** cache purge: what, besides URLs, and how. */
  readonly purge: {
    readonly isAll: boolean;
    readonly prefixes: readonly string[];
    readonly tags: readonly string[];
    readonly isSoft: boolean;
    readonly isDryRun: boolean;
  };
  /**
   * fmt, plan: the files. explain: method and URL. cache: an action and URLs. cron: an action and a name.
   * rpc: an action and its arguments. backend: names and an action. trace: the id of a request. log-level: a level.
   * hash-password: the user name. help: a command. */
  readonly rest: readonly string[];
  /** cron preview: of which year; `undefined`: the next times. */
  readonly year: number | undefined;
  /** serve: responses may expose the configuration. */
  readonly isDevelopment: boolean;
  /** explain, rpc: header fields or metadata, each as `name: value`. */
  readonly fields: readonly string[];
  /** explain: the address of the client. */
  readonly from: string | undefined;
  /** explain tcp, udp: the address that the client connects to, its server name (SNI), its ALPN, its first bytes. */
  readonly to: string | undefined;
  readonly sni: string;
  readonly alpn: string;
  readonly bytes: string;
  /** explain: the server that receives the request; `undefined`: the URL determines it. */
  readonly server: string | undefined;
  /** Print JSON. */
  readonly isJSON: boolean;
  /** top: print one table, and end. */
  readonly isOnce: boolean;
  /**
   * top: the time between two tables. cpu, loop, gc, advise: how long to measure. log-level: how long.
   * rpc: how long to wait. In milliseconds.
   */
  readonly period: number;
  /** cpu, heap, report, loop, gc: the slot of the worker. */
  readonly slot: number;
  /** cpu, heap, report, rpc: the file to write. `undefined`: one in the working directory. */
  readonly out: string | undefined;
  /** logs: show requests as they end. */
  readonly isFollowing: boolean;
  /** logs: the beginning of a request's path, or the path of a component; log-level: the latter. */
  readonly path: string | undefined;
  /** logs: a status or a class of them. */
  readonly status: string | undefined;
  /** logs: how long a request took at least, in milliseconds. */
  readonly slow: number | undefined;
  /** serve: how long running work may take to finish after a signal to end, in milliseconds. */
  readonly grace: number;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
  /** `undefined`: standard error. */
  readonly logFile: string | undefined;
}

const options = {
  config: { type: "string", short: "c" },
  base: { type: "string" },
  use: { type: "string", multiple: true },
  check: { type: "boolean" },
  header: { type: "string", short: "H", multiple: true },
  from: { type: "string" },
  server: { type: "string" },
  to: { type: "string" },
  sni: { type: "string" },
  alpn: { type: "string" },
  bytes: { type: "string" },
  json: { type: "boolean" },
  grace: { type: "string" },
  single: { type: "boolean" },
  logs: { type: "string" },
  tmps: { type: "string" },
  vars: { type: "string" },
  workers: { type: "string" },
  stall: { type: "string" },
  user: { type: "string" },
  group: { type: "string" },
  daemon: { type: "boolean" },
  "max-memory": { type: "string" },
  admin: { type: "string" },
  "admin-token": { type: "string" },
  "admin-cert": { type: "string" },
  "admin-key": { type: "string" },
  "admin-ca": { type: "string" },
  webui: { type: "string" },
  rework: { type: "boolean" },
  leader: { type: "boolean" },
  patience: { type: "string" },
  running: { type: "boolean" },
  "pid-file": { type: "string" },
  stdout: { type: "string" },
  stderr: { type: "string" },
  "drain-delay": { type: "string" },
  dev: { type: "boolean" },
  prefix: { type: "string", multiple: true },
  tag: { type: "string", multiple: true },
  all: { type: "boolean" },
  soft: { type: "boolean" },
  "dry-run": { type: "boolean" },
  year: { type: "string" },
  once: { type: "boolean" },
  for: { type: "string" },
  worker: { type: "string" },
  out: { type: "string" },
  follow: { type: "boolean" },
  path: { type: "string" },
  status: { type: "string" },
  slow: { type: "string" },
  "log-level": { type: "string" },
  "log-format": { type: "string" },
  "log-file": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

type OptionName = keyof typeof options;

const folders = ["base", "logs", "tmps", "vars"] as const;

/** What needs a leader. */
const leading = [
  "workers",
  "user",
  "group",
  "stall",
  "daemon",
  "pid-file",
  "stdout",
  "stderr",
  "max-memory",
  "admin",
  "webui",
  "patience",
] as const satisfies readonly OptionName[];

/** Where a program is found that runs. */
const program = ["base", "vars", "json", "admin", "admin-token", "admin-ca"] as const;

/** The options of each command, besides `help`. */
const optionsOf: Readonly<Record<CommandName, readonly OptionName[]>> = {
  serve: [
    ...folders,
    "config",
    "use",
    "workers",
    "stall",
    "user",
    "group",
    "grace",
    "drain-delay",
    "daemon",
    "pid-file",
    "stdout",
    "stderr",
    "max-memory",
    "patience",
    "admin",
    "admin-token",
    "admin-cert",
    "admin-key",
    "webui",
    "single",
    "dev",
    "log-level",
    "log-format",
    "log-file",
  ],
  check: [...folders, "config", "use", "json"],
  explain: [...program, "config", "use", "header", "from", "server", "running", "to", "sni", "alpn", "bytes"],
  plan: [...program, "logs", "tmps", "config", "use"],
  reload: [...program, "rework"],
  rework: [...program, "leader"],
  reopen: program,
  workers: program,
  leader: program,
  pids: program,
  top: [...program, "once", "for"],
  status: program,
  cpu: [...program, "worker", "for", "out"],
  heap: [...program, "worker", "out"],
  report: [...program, "worker", "out"],
  loop: [...program, "worker", "for"],
  gc: [...program, "worker", "for"],
  advise: [...program, "for"],
  backend: program,
  "log-level": [...program, "path", "for"],
  trace: program,
  logs: [...program, "follow", "path", "status", "slow"],
  cache: [...program, "prefix", "tag", "all", "soft", "dry-run"],
  cron: [...program, "year"],
  webui: program,
  rpc: ["header", "json", "for", "out", "check"],
  quit: program,
  stop: program,
  fmt: ["config", "base", "check"],
  "hash-password": [],
  help: [],
  version: program,
};

/** Throws HEMI_USAGE, with one line that shows the correct usage. */
export function readCommandLine(args: readonly string[], program: ProgramDefaults = hemiDefaults): CommandLine {
  const { values, positionals } = parse(args);
  const [first = program.command, ...rest] = positionals;
  if (values.version === true) return complete("version", [], {}, program);
  if (values.help === true) return complete("help", positionals.slice(0, 1), {}, program);
  const command = commandNames.find((name) => name === first);
  if (command === undefined) throw usage(`there is no command ${first}`, didYouMean(first, commandNames, ""));
  const allowed: readonly string[] = optionsOf[command];
  for (const name of Object.keys(values)) {
    if (!allowed.includes(name)) throw usage(`${command} takes no --${name}`, `it takes ${listed(allowed)}`);
  }
  if (!takesArguments.has(command) && rest.length > 0) {
    throw usage(`${command} takes no argument ${rest[0] ?? ""}`, "did you mean --config?");
  }
  return complete(command, rest, values, program);
}

const takesArguments: ReadonlySet<CommandName> = new Set([
  "explain",
  "plan",
  "backend",
  "log-level",
  "trace",
  "cache",
  "cron",
  "rpc",
  "fmt",
  "hash-password",
  "help",
]);

type Values = ReturnType<typeof parse>["values"];

function complete(
  command: CommandName,
  rest: readonly string[],
  values: Values,
  program: ProgramDefaults,
): CommandLine {
  const base = values.base ?? program.base;
  const isSingle = (values.single ?? false) || (values.dev ?? false);
  for (const name of leading) {
    if (isSingle && values[name] !== undefined) {
      const reason = "it belongs to a leader, which --single and --dev do without";
      throw usage(`serve takes no --${name} here`, reason);
    }
  }
  if ((values.running ?? false) && (values.config !== undefined || values.use !== undefined))
    throw usage("explain --running takes no --config and no --use", "it asks the program that runs");
  const isDaemon = values.daemon ?? false;
  const stderr = values.stderr ?? (isDaemon ? join(base, values.logs ?? "logs", "stderr.log") : undefined);
  return {
    command,
    title: program.title,
    rest,
    config: values.config ?? program.config,
    isConfigGiven: values.config !== undefined,
    base,
    logsDir: values.logs,
    tmpsDir: values.tmps,
    varsDir: values.vars,
    isSingle,
    isDaemon,
    maxMemory: values["max-memory"] === undefined ? undefined : readSize("max-memory", values["max-memory"]),
    admin: values.admin === undefined ? undefined : readAddress("admin", values.admin),
    adminToken: values["admin-token"],
    adminCertificate: values["admin-cert"],
    adminKey: values["admin-key"],
    adminAuthority: values["admin-ca"],
    webUI: readWebUI(values.webui ?? "127.0.0.1:9528"),
    isRework: values.rework ?? false,
    isLeader: values.leader ?? false,
    isRunning: values.running ?? false,
    pidFile: values["pid-file"],
    stdout: values.stdout ?? (isDaemon ? join(base, values.logs ?? "logs", "stdout.log") : undefined),
    stderr,
    drainDelay: readDuration("drain-delay", values["drain-delay"] ?? "0s"),
    workers: readWorkers(values.workers ?? "auto"),
    stall: readDuration("stall", values.stall ?? "5s"),
    patience: Math.max(1, readDuration("patience", values.patience ?? "30s")),
    user: readId("user", values.user),
    group: values.group === undefined ? groupOf(values.user) : readId("group", values.group),
    use: [...program.use, ...(values.use ?? [])],
    isCheck: values.check ?? false,
    purge: {
      isAll: values.all ?? false,
      prefixes: values.prefix ?? [],
      tags: values.tag ?? [],
      isSoft: values.soft ?? false,
      isDryRun: values["dry-run"] ?? false,
    },
    year: values.year === undefined ? undefined : readYear(values.year),
    isDevelopment: values.dev ?? false,
    fields: values.header ?? [],
    from: values.from,
    server: values.server,
    to: values.to,
    sni: values.sni ?? "",
    alpn: values.alpn ?? "",
    bytes: values.bytes ?? "",
    isJSON: values.json ?? false,
    isOnce: values.once ?? false,
    period: Math.max(1, readDuration("for", values.for ?? defaultPeriods[command] ?? "1s")),
    slot: readSlot(values.worker ?? "0"),
    out: values.out,
    isFollowing: values.follow ?? false,
    path: values.path,
    status: values.status,
    slow: values.slow === undefined ? undefined : readDuration("slow", values.slow),
    grace: readDuration("grace", values.grace ?? "4s"),
    logLevel: oneOf("log-level", values["log-level"] ?? "info", logLevels),
    logFormat: oneOf("log-format", values["log-format"] ?? "text", ["text", "json"]),
    logFile: values["log-file"] ?? stderr,
  };
}

/** Of `--for`. */
const defaultPeriods: Partial<Readonly<Record<CommandName, string>>> = {
  cpu: "10s",
  loop: "10s",
  gc: "10s",
  advise: "10s",
  "log-level": "5m",
  rpc: "30s",
};

function parse(args: readonly string[]) {
  // Both -config and --config are accepted, as in Go programs.
  const doubled = args.map((arg) => (/^-[a-z][a-z-]+(?:=|$)/.test(arg) ? `-${arg}` : arg));
  const asked = doubled.filter((arg) => arg.startsWith("--")).map((arg) => arg.slice(2).split("=")[0] ?? "");
  for (const name of asked) {
    if (name !== "" && !Object.hasOwn(options, name)) {
      throw usage(`there is no option --${name}`, didYouMean(name, Object.keys(options), "--"));
    }
  }
  try {
    return parseArgs({ args: doubled, options, allowPositionals: true });
  } catch (error) {
    throw usage(error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? error.message) : String(error));
  }
}

function readSlot(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw usage(`--worker takes the number of a worker, not ${JSON.stringify(text)}`);
  return Number(text);
}

function readYear(text: string): number {
  if (!/^[12]\d{3}$/.test(text)) throw usage(`--year takes a year such as 2027, not ${JSON.stringify(text)}`);
  return Number(text);
}

function readWorkers(text: string): number {
  // Limits of the container and of the process are counted.
  if (text === "auto") return availableParallelism();
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 256)
    throw usage(`--workers takes auto or a number from 1 to 256, not ${JSON.stringify(text)}`);
  return count;
}

/** Node.js takes names too, in some calls only; those of a directory service need their number. */
function readId(option: "user" | "group", text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const entry = entriesOf(option === "user" ? "/etc/passwd" : "/etc/group").find(([name]) => name === text);
  if (entry !== undefined) return Number(entry[2]);
  throw usage(
    `--${option} takes a name of /etc/${option === "user" ? "passwd" : "group"} or a number, not ${JSON.stringify(text)}`,
  );
}

/** The main group of a user: a worker must not keep the group of the leader, which may be that of root. */
function groupOf(user: string | undefined): number | undefined {
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

function readDuration(option: string, text: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`--${option} takes a duration such as 10s, not ${JSON.stringify(text)}`);
  return Number(digits) * (unit === "ms" ? 1 : unit === "s" ? 1000 : 60_000);
}

function readSize(option: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,6})([MG])$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`--${option} takes a size such as 512M or 2G, not ${JSON.stringify(text)}`);
  return Number(digits) * (unit === "M" ? 1024 ** 2 : 1024 ** 3);
}

function readAddress(option: string, text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, digits] = /^(?:\[([\da-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw usage(`--${option} takes an address such as 127.0.0.1:9000 or [::1]:9000, not ${JSON.stringify(text)}`);
  return { host, port };
}

function readWebUI(text: string): { readonly host: string; readonly port: number } | undefined {
  if (text === "off") return undefined;
  const address = readAddress("webui", text.replace(/^localhost:/, "127.0.0.1:"));
  if (isLoopback(address.host)) return address;
  const advice = "give a loopback address, and reach it by ssh -L or by a proxy with TLS on this machine";
  throw usage(`--webui ${text} would send its token readable over the network`, advice);
}

function oneOf<const Word extends string>(option: string, word: string, words: readonly Word[]): Word {
  const found = words.find((known) => known === word);
  if (found === undefined) throw usage(`--${option} takes ${listed(words)}, not ${JSON.stringify(word)}`);
  return found;
}

function listed(words: readonly string[]): string {
  return words.length === 0 ? "no options" : words.join(", ");
}

function didYouMean(name: string, names: readonly string[], prefix: string): string | undefined {
  const [nearest] = nearestNames(name, names);
  return nearest === undefined ? undefined : `did you mean ${prefix}${nearest}?`;
}

function usage(what: string, advice = "see hemi help"): HemiError {
  return new HemiError("HEMI_USAGE", `${what}; ${advice}`);
}
