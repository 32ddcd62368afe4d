// Parses the command line of `hemi`.

import { parseArgs } from "node:util";
import { nearestNames } from "@hemi/common";
import { HemiError } from "@hemi/hemi";

export const commandNames = ["serve", "check", "explain", "fmt", "hash-password", "help", "version"] as const;
export type CommandName = (typeof commandNames)[number];

/** The parsed command line. */
export interface CommandLine {
  readonly command: CommandName;
  /** The configuration file. Default: `hemi.conf`. */
  readonly config: string;
  /** The base directory of relative paths in the configuration. Default: the working directory. */
  readonly base: string;
  /** Modules whose default exports are packs. */
  readonly use: readonly string[];
  /** fmt: report files that would change, and change nothing. */
  readonly isCheck: boolean;
  /** fmt: the files. explain: method and URL. hash-password: the user name. help: a command. */
  readonly rest: readonly string[];
  /** serve: responses may expose the configuration. */
  readonly isDevelopment: boolean;
  /** explain: header fields, each as `name: value`. */
  readonly fields: readonly string[];
  /** explain: the address of the client. */
  readonly from: string | undefined;
  /** explain: the server that receives the request; `undefined`: the URL determines it. */
  readonly server: string | undefined;
  /** explain: print JSON. */
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
  json: { type: "boolean" },
  grace: { type: "string" },
  single: { type: "boolean" },
  dev: { type: "boolean" },
  "log-level": { type: "string" },
  "log-format": { type: "string" },
  "log-file": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

type OptionName = keyof typeof options;

/** The options of each command, besides `help`. */
const optionsOf: Readonly<Record<CommandName, readonly OptionName[]>> = {
  serve: ["config", "base", "use", "grace", "single", "dev", "log-level", "log-format", "log-file"],
  check: ["config", "base", "use"],
  explain: ["config", "base", "use", "header", "from", "server", "json"],
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
  if ((command === "serve" || command === "check" || command === "version") && rest.length > 0) {
    throw usage(`${command} takes no argument ${rest[0] ?? ""}`, "did you mean --config?");
  }
  return complete(command, rest, values);
}

type Values = ReturnType<typeof parse>["values"];

function complete(command: CommandName, rest: readonly string[], values: Values): CommandLine {
  return {
    command,
    rest,
    config: values.config ?? "hemi.conf",
    base: values.base ?? process.cwd(),
    use: values.use ?? [],
    isCheck: values.check ?? false,
    isDevelopment: values.dev ?? false,
    fields: values.header ?? [],
    from: values.from,
    server: values.server,
    isJSON: values.json ?? false,
    grace: readGrace(values.grace ?? "4s"),
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

function readGrace(text: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`--grace takes a duration such as 10s, not ${JSON.stringify(text)}`);
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
