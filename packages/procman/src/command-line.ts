// Parses the command line of `hemi`.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { nearestNames } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";

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
  "quit",
  "stop",
  "fmt",
  "hash-password",
  "help",
  "version",
] as const;
export type CommandName = (typeof commandNames)[number];

/** The parsed command line. */
export interface CommandLine {
  readonly command: CommandName;
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
  /** serve: how long the event loop of a worker may stand still, in milliseconds; 0: for ever. */
  readonly stall: number;
  /** serve: the user and group ids of workers; `undefined`: those of the leader. */
  readonly user: number | undefined;
  readonly group: number | undefined;
  /** Modules whose default exports are packs. */
  readonly use: readonly string[];
  /** fmt: report files that would change, and change nothing. */
  readonly isCheck: boolean;
  /** fmt, plan: the files. explain: method and URL. hash-password: the user name. help: a command. */
  readonly rest: readonly string[];
  /** serve: responses may expose the configuration. */
  readonly isDevelopment: boolean;
  /** explain: header fields, each as `name: value`. */
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
  /** serve: how long running work may take to finish after a signal to end, in milliseconds. */
  readonly grace: number;
  readonly logLevel: LogLevelName;
  readonly logFormat: "text" | "json";
  /** `undefined`: standard error. */
  readonly logFile: string | undefined;
}

const logLevels = ["debug", "info", "warn", "error"] as const;
type LogLevelName = (typeof logLevels)[number];

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
  dev: { type: "boolean" },
  "log-level": { type: "string" },
  "log-format": { type: "string" },
  "log-file": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

type OptionName = keyof typeof options;

const folders = ["base", "logs", "tmps", "vars"] as const;

/** Where a program is found that runs. */
const program = ["base", "vars", "json"] as const;

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
    "single",
    "dev",
    "log-level",
    "log-format",
    "log-file",
  ],
  check: [...folders, "config", "use"],
  explain: ["config", "base", "use", "header", "from", "server", "to", "sni", "alpn", "bytes", "json"],
  plan: [...program, "logs", "tmps", "config", "use"],
  reload: program,
  rework: program,
  reopen: program,
  workers: program,
  leader: program,
  pids: program,
  quit: program,
  stop: program,
  fmt: ["config", "base", "check"],
  "hash-password": [],
  help: [],
  version: [],
};

/** Throws HEMI_USAGE, with one line that shows the correct usage. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args);
  const [first, ...rest] = positionals;
  if (values.version === true) return complete("version", [], {});
  if (values.help === true || first === undefined) return complete("help", positionals.slice(0, 1), {});
  const command = commandNames.find((name) => name === first);
  if (command === undefined) throw usage(`there is no command ${first}`, didYouMean(first, commandNames, ""));
  const allowed: readonly string[] = optionsOf[command];
  for (const name of Object.keys(values)) {
    if (!allowed.includes(name)) throw usage(`${command} takes no --${name}`, `it takes ${listed(allowed)}`);
  }
  if (!takesArguments.has(command) && rest.length > 0) {
    throw usage(`${command} takes no argument ${rest[0] ?? ""}`, "did you mean --config?");
  }
  return complete(command, rest, values);
}

const takesArguments: ReadonlySet<CommandName> = new Set(["explain", "plan", "fmt", "hash-password", "help"]);

type Values = ReturnType<typeof parse>["values"];

function complete(command: CommandName, rest: readonly string[], values: Values): CommandLine {
  return {
    command,
    rest,
    config: values.config ?? "hemi.conf",
    isConfigGiven: values.config !== undefined,
    base: values.base ?? process.cwd(),
    logsDir: values.logs,
    tmpsDir: values.tmps,
    varsDir: values.vars,
    isSingle: values.single ?? false,
    workers: readWorkers(values.workers ?? "auto"),
    stall: readDuration("stall", values.stall ?? "5s"),
    user: readId("user", values.user),
    group: readId("group", values.group),
    use: values.use ?? [],
    isCheck: values.check ?? false,
    isDevelopment: values.dev ?? false,
    fields: values.header ?? [],
    from: values.from,
    server: values.server,
    to: values.to,
    sni: values.sni ?? "",
    alpn: values.alpn ?? "",
    bytes: values.bytes ?? "",
    isJSON: values.json ?? false,
    grace: readDuration("grace", values.grace ?? "4s"),
    logLevel: oneOf("log-level", values["log-level"] ?? "info", logLevels),
    logFormat: oneOf("log-format", values["log-format"] ?? "text", ["text", "json"]),
    logFile: values["log-file"],
  };
}

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
  try {
    const database = readFileSync(option === "user" ? "/etc/passwd" : "/etc/group", "utf8");
    const entry = database.split("\n").find((line) => line.startsWith(`${text}:`));
    if (entry !== undefined) return Number(entry.split(":")[2]);
  } catch {
    // Then a number is needed.
  }
  throw usage(
    `--${option} takes a name of /etc/${option === "user" ? "passwd" : "group"} or a number, not ${JSON.stringify(text)}`,
  );
}

function readDuration(option: string, text: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`--${option} takes a duration such as 10s, not ${JSON.stringify(text)}`);
  return Number(digits) * (unit === "ms" ? 1 : unit === "s" ? 1000 : 60_000);
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
