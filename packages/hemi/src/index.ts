// The package that a Hemi program imports: the public part of the core, and functions that boot stages with the
// standard pack.

import apps from "@hemi/contrib-apps";
import dealets from "@hemi/contrib-dealets";
import handlets from "@hemi/contrib-handlets";
import logs from "@hemi/contrib-logs";
import revisers from "@hemi/contrib-revisers";
import servers from "@hemi/contrib-servers";
import { bootWith, type Boot, type CorePack } from "@hemi/internal";
import { knownPackages } from "./known-packages.ts";

export { hashPassword, type ScryptCost } from "@hemi/contrib-handlets";
export { ConnServer, connServerProps, type ConnServerSettings, type ServedSocket } from "@hemi/contrib-servers";
export * from "@hemi/internal";

/** Named, because the compiler cannot write it out. */
type StandardBoot = Boot<
  readonly [CorePack, typeof apps, typeof dealets, typeof handlets, typeof logs, typeof revisers, typeof servers]
>;

const boot: StandardBoot = bootWith([apps, dealets, handlets, logs, revisers, servers], { knownPackages });

/**
 * Boots a file; the path is relative to the working directory. Rejects with a ConfigError, or with HEMI_FILE if the
 * file cannot be read.
 */
export const bootFile = boot.bootFile;
/** Boots a text. Rejects with a ConfigError. */
export const bootText = boot.bootText;
/**
 * Boots a TypeScript object with type checks: sign, name and kind of each part are known. Rejects with a ConfigError.
 */
export const bootTree: StandardBoot["bootTree"] = boot.bootTree;
/** Boots a computed TypeScript object, without type checks. Rejects with a ConfigError. */
export const bootObject = boot.bootObject;
