// From a configuration to a stage: parse, resolve, check, create. Nothing is opened before the stage is started.

import { setImmediate as turn } from "node:timers/promises";
import { finishInSlices, lookForLeftovers } from "@hemi/common";
import { ConfigError, sortProblems } from "../config/config-error.ts";
import type { ConfigFiles } from "../config/files.ts";
import { fromObject } from "../config/from-object.ts";
import { loadConfig } from "../config/load.ts";
import type { Parsed } from "../config/parser.ts";
import type { Problem } from "../config/problem.ts";
import type { Kind } from "../component/kind.ts";
import type { Pack } from "../component/pack.ts";
import { resolveSteps } from "../component/resolve/resolve.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import type { ErrorLog, OwnedErrorLog } from "../log/error-log.ts";
import { Metrics } from "../metrics/metrics.ts";
import { Operator } from "../operator/operator.ts";
import type { Surroundings } from "./context.ts";
import type { FixtureDefinitions } from "./fixtures.ts";
import { Readiness } from "./readiness.ts";
import { OnlyWorker, type Workers } from "./workers.ts";
import { stageSettings } from "./settings.ts";
import type { ConfigSource, StageOptions } from "./stage.ts";

/** The parts of an engine that a boot needs, so that the stage does not import them. */
export interface Engine<Packs extends readonly Pack[] = readonly Pack[]> {
  readonly kinds: readonly Kind[];
  /** Packs that are available without `use`. */
  readonly packs: Packs;
  /** Maps signs to the packages that have them, to name the missing package in messages. */
  readonly knownPackages?: ReadonlyMap<string, string> | undefined;
  /** Signs and props of other servers, with what does the same here: hints behind errors. */
  readonly foreignNames?: ReadonlyMap<string, string> | undefined;
  /** Definitions of those packs. */
  readonly fixtures: FixtureDefinitions;
  /** Opens the log of a stage without the option `log`. */
  readonly openLog: () => OwnedErrorLog;
  /** Makes the listeners of a stage without the option `listeners`. */
  readonly makeListeners: () => Surroundings["listeners"];
}

/** The options for booting a stage, besides its configuration. */
export interface BootOptions<Use extends readonly Pack[] = readonly Pack[]> {
  /**
   * Packs in addition to those of the engine. Two definitions with one sign are an error: HEMI_CONFIG_SIGN_CONFLICT.
   */
  readonly use?: Use;
  /** `%baseDir`, against which relative paths and includes are resolved. Default: the working directory. */
  readonly baseDir?: string;
  /** `%logsDir`. Default: `logs` in the base directory; `tmpsDir` and `varsDir` likewise. */
  readonly logsDir?: string;
  /** `%tmpsDir`. Default: `tmps` in the base directory. */
  readonly tmpsDir?: string;
  /** `%varsDir`. Default: `vars` in the base directory. */
  readonly varsDir?: string;
  /** The source of `%env`. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Is told what a configuration holds that is allowed and most likely not meant, sorted by place, at boot and at each
   * reload: `problemsText` shows
   * them. Default: nobody is.
   */
  readonly warned?: (doubts: readonly Problem[]) => void;
  /** Stays open. Default: one of the stage's own, to standard error. */
  readonly log?: ErrorLog;
  /**
   * Whether responses may expose the configuration, to help developers: the built-in 404 page then shows how the
   * request was matched. Do not use it on a server that strangers can reach. What components leave open after their
   * shutdown is then logged, too. Default: false.
   */
  readonly isDevelopment?: boolean;
  /** Default: the listeners of the process, which all its stages share. */
  readonly listeners?: Surroundings["listeners"];
  /** The worker processes of the program. Default: this process alone. */
  readonly workers?: Workers;
  /** Where the components count. Default: numbers of the stage's own. */
  readonly metrics?: Metrics;
  /** What the operator of the program sees and orders. Default: nobody steers the stage. */
  readonly operator?: Operator;
  /** Where the files of `bootFile` are read. Default: the disk. */
  readonly files?: ConfigFiles;
}

/**
 * Reads, resolves and checks a configuration, and makes a stage of it. The stage can repeat this when it is reloaded.
 * Rejects with a ConfigError, which has all problems, or with HEMI_FILE for a file that cannot be read.
 */
export async function bootSource<Made>(
  engine: Engine,
  source: ConfigSource,
  options: BootOptions,
  make: (options: StageOptions) => Made,
): Promise<Made> {
  const packs = [...engine.packs, ...(options.use ?? [])];
  const { kinds, fixtures, knownPackages, foreignNames } = engine;
  const resolveSource = async (other = source): Promise<ResolvedComponent> => {
    const parsed = await parse(other, options.baseDir);
    // Each of the two may take a while: a stage that runs serves in between.
    await turn();
    const { stage, problems, doubts } = await finishInSlices(
      resolveSteps(parsed, { ...options, kinds, packs, knownPackages, foreignNames, stageSettings }),
    );
    if (stage === undefined) throw new ConfigError(problems);
    if (doubts.length > 0) options.warned?.(sortProblems(doubts));
    return stage;
  };
  const resolved = await resolveSource();
  if (options.isDevelopment === true) lookForLeftovers();
  const surroundings: Surroundings = {
    listeners: options.listeners ?? engine.makeListeners(),
    isDevelopment: options.isDevelopment === true,
    workers: options.workers ?? new OnlyWorker(),
    metrics: options.metrics ?? new Metrics(),
    operator: options.operator ?? new Operator(),
    readiness: new Readiness(),
  };
  const made = { resolved, fixtures, surroundings, resolve: resolveSource };
  if (options.log !== undefined) return make({ ...made, log: options.log });
  const log = engine.openLog();
  try {
    return make({ ...made, log, stopped: () => log.close() });
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function parse(source: ConfigSource, baseDir: string | undefined): Promise<Parsed> {
  const base = baseDir === undefined ? {} : { baseDir };
  if ("object" in source) return fromObject(source.object);
  if ("file" in source) return await loadConfig({ ...source, ...base });
  return await loadConfig({ text: source.text, name: source.name ?? "<text>", ...base });
}
