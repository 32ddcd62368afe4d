// From a configuration to a stage: parse, resolve, check, create. Nothing is opened before the stage is started.

import { ConfigError } from "../config/config-error.ts";
import { fromObject } from "../config/from-object.ts";
import { loadConfig } from "../config/load.ts";
import type { ConfigObject } from "../config/object.ts";
import type { Parsed } from "../config/parser.ts";
import type { Surroundings } from "../component/context.ts";
import type { Kind } from "../component/kind.ts";
import type { Pack } from "../component/pack.ts";
import { resolve } from "../component/resolve/resolve.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import type { ErrorLog, OwnedErrorLog } from "../log/error-log.ts";
import type { FixtureDefinitions } from "./fixtures.ts";
import { stageSettings } from "./settings.ts";
import { Stage } from "./stage.ts";
import type { ConfigSource, StageComponents } from "./stage.ts";
import type { CheckedTree, ComponentsIn, DefinitionsIn } from "./tree.ts";

/** What an engine consists of: what `makeBoot` is told, so that the stage need not know it. */
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

/** All of them reject with a ConfigError, which holds everything that is wrong with the configuration. */
export interface Boot<Packs extends readonly Pack[] = readonly Pack[]> {
  /** Boots a file. The path is relative to the working directory. Rejects with HEMI_FILE if it cannot be read. */
  readonly bootFile: (path: string, options?: BootOptions) => Promise<Stage>;
  /** Boots a text; `name` is what errors call it (default: `<text>`). */
  readonly bootText: (text: string, options?: BootOptions & { readonly name?: string }) => Promise<Stage>;
  /** Boots a TypeScript object, checked by the types of the packs in use, which know the named components of its stage by path. */
  readonly bootTree: <const Tree extends ConfigObject, const Use extends readonly Pack[] = readonly []>(
    tree: Tree & CheckedTree<Tree, DefinitionsIn<readonly [...Packs, ...Use]>>,
    options?: BootOptions<Use>,
  ) => Promise<Stage<ComponentsIn<Tree, DefinitionsIn<readonly [...Packs, ...Use]>>>>;
  /** Boots a TypeScript object that was worked out, so that types know nothing of it. */
  readonly bootObject: (object: ConfigObject, options?: BootOptions) => Promise<Stage>;
}

/** Makes the functions that boot stages. */
export function makeBoot<const Packs extends readonly Pack[]>(engine: Engine<Packs>): Boot<Packs> {
  return {
    bootFile: (file, options = {}) => bootSource(engine, { file }, options),
    bootText: (text, options = {}) => bootSource(engine, { text, name: options.name ?? "<text>" }, options),
    bootTree: (tree, options = {}) => bootSource(engine, { object: tree }, options),
    bootObject: (object, options = {}) => bootSource(engine, { object }, options),
  };
}

async function bootSource<Components extends StageComponents>(
  engine: Engine,
  source: ConfigSource,
  options: BootOptions,
): Promise<Stage<Components>> {
  const packs = [...engine.packs, ...(options.use ?? [])];
  const { kinds, fixtures } = engine;
  const resolveSource = async (other = source): Promise<ResolvedComponent> => {
    const parsed = await parse(other, options.baseDir);
    const { stage, problems } = resolve(parsed, { ...options, kinds, packs, stageSettings });
    if (stage === undefined) throw new ConfigError(problems);
    return stage;
  };
  const resolved = await resolveSource();
  const surroundings: Surroundings = {
    listeners: options.listeners ?? engine.makeListeners(),
    isDevelopment: options.isDevelopment === true,
  };
  const common = { resolved, fixtures, surroundings, resolve: resolveSource };
  if (options.log !== undefined) return new Stage<Components>({ ...common, log: options.log });
  const log = engine.openLog();
  try {
    return new Stage<Components>({ ...common, log, stopped: () => log.close() });
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function parse(source: ConfigSource, baseDir: string | undefined): Promise<Parsed> {
  const base = baseDir === undefined ? {} : { baseDir };
  if ("object" in source) return fromObject(source.object);
  if ("file" in source) return await loadConfig({ file: source.file, ...base });
  return await loadConfig({ text: source.text, name: source.name ?? "<text>", ...base });
}
