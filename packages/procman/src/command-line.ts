// Parses the command line of `hemi`.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { logLevels, type LogLevel } from "@hemi/hemi/base";
import {
  commandNames,
  leadingOptions,
  options,
  optionsOf,
  takesArguments,
  type CommandName,
} from "./command-options.ts";
import {
  didYouMean,
  groupOf,
  listed,
  oneOf,
  readAddress,
  readDuration,
  readId,
  readSize,
  readSlot,
  readWebUI,
  readWorkers,
  readYear,
  usage,
} from "./option-values.ts";

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
  /** explain, cache explain, rpc: header fields or metadata, each as `name: value`. */
  readonly fields: readonly string[];
  /** explain: the address of the client. */
  readonly from: string | undefined;
  /** explain tcp, udp, quic: what the client connects to, its server name (SNI), its ALPN, its first bytes. */
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

type Values = ReturnType<typeof parse>["values"];

function complete(
  command: CommandName,
  rest: readonly string[],
  values: Values,
  program: ProgramDefaults,
): CommandLine {
  const base = values.base ?? program.base;
  const isSingle = (values.single ?? false) || (values.dev ?? false);
  for (const name of leadingOptions) {
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
    webUI: readWebUI(values.webui ?? (isSingle && !process.stderr.isTTY ? "off" : "127.0.0.1:9528")),
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
