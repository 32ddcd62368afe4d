// From what was parsed to a stage: resolve, check, create. Nothing is opened before the stage is started.

import { ConfigError } from "../config/config-error.ts";
import type { Parsed } from "../config/parser.ts";
import type { Kind } from "../component/kind.ts";
import type { Pack } from "../component/pack.ts";
import { resolve } from "../component/resolve/resolve.ts";
import type { ErrorLog, OwnedErrorLog } from "../log/error-log.ts";
import type { Surroundings } from "./context.ts";
import type { FixtureDefinitions } from "./fixtures.ts";
import type { StageOptions } from "./stage.ts";

/** What an engine consists of: what a boot is told, so that the stage need not know it. */
export interface Engine<Packs extends readonly Pack[] = readonly Pack[]> {
  readonly kinds: readonly Kind[];
  /** What may be used without being named in `use`. */
  readonly packs: Packs;
  /** Definitions of those packs. */
  readonly fixtures: FixtureDefinitions;
  /** Opens the log of a stage that is given none. */
  readonly openLog: () => OwnedErrorLog;
  /** The listeners of a stage that is given none. */
  readonly makeListeners: () => Surroundings["listeners"];
}

export interface BootOptions<Use extends readonly Pack[] = readonly Pack[]> {
  /** What may be used beside the packs of the engine. Two definitions of one sign are an error: HEMI_CONFIG_SIGN_CONFLICT. */
  readonly use?: Use;
  /** `%baseDir`, and what relative paths and includes start from. Default: the working directory. */
  readonly baseDir?: string;
  /** `%logsDir`. Default: `logs` in the base directory; `tmpsDir` and `varsDir` likewise. */
  readonly logsDir?: string;
  readonly tmpsDir?: string;
  readonly varsDir?: string;
  /** What `%env` reads. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Stays open. Default: one of the stage's own, to standard error. */
  readonly log?: ErrorLog;
  /**
   * Whether peers may be told of the configuration, to help those who write it: the page for what no rule takes then shows how the request
   * went. Not for a server that strangers can reach. Default: false.
   */
  readonly isDevelopment?: boolean;
  /** Default: those of the process, which all its stages share. */
  readonly listeners?: Surroundings["listeners"];
}

/** Resolves and checks what was parsed, and makes a stage of it. Rejects with a ConfigError, which holds everything that is wrong. */
export async function bootSpec<Made>(
  engine: Engine,
  parsed: Parsed,
  options: BootOptions,
  make: (options: StageOptions) => Made,
): Promise<Made> {
  const packs = [...engine.packs, ...(options.use ?? [])];
  const { stage: resolved, problems } = resolve(parsed, { ...options, kinds: engine.kinds, packs });
  if (resolved === undefined) throw new ConfigError(problems);
  const { fixtures } = engine;
  const surroundings: Surroundings = {
    listeners: options.listeners ?? engine.makeListeners(),
    isDevelopment: options.isDevelopment === true,
  };
  if (options.log !== undefined) return make({ resolved, fixtures, surroundings, log: options.log });
  const log = engine.openLog();
  try {
    return make({ resolved, fixtures, surroundings, log, stopped: () => log.close() });
  } catch (error) {
    await log.close();
    throw error;
  }
}
