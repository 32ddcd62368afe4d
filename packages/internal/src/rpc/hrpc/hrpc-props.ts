// The props of a server that are about hrpc alone.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";

/** What holds where no prop says something else: durations in ms. */
export const hrpcDefaults = { maxStreams: 256, maxIdleFrames: 1000, floodRecovery: 10_000 };

export const hrpcProps = {
  /** Calls at once on an hrpc connection; one more is refused as one that has never begun. */
  hrpcMaxStreams: prop.integer({
    default: hrpcDefaults.maxStreams,
    min: 1,
    max: 1_000_000,
    inherited: true,
    reload: "live",
  }),
  /**
   * What a client may send of an hrpc call before a procedure reads it, in bytes: so much is kept in memory for each
   * call at most. What comes beyond it ends the connection.
   */
  hrpcCredit: prop.size({ default: "64K", min: "64K", max: "16M", inherited: true, reload: "live" }),
  /** An hrpc client that is silent for so long while calls run is asked for a sign of life. 0: it never is. */
  hrpcPingInterval: prop.duration({ default: "30s", inherited: true, reload: "live" }),
  /** If it gives none in this time, its connection and its calls are ended. */
  hrpcPingTimeout: prop.duration({ default: "10s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * How long an hrpc connection takes new calls, plus or minus 10 %. After that its client makes another one, so that
   * balancers before several servers can spread clients anew; calls that run go on. 0: as long as it lasts.
   */
  hrpcMaxConnAge: prop.duration({ default: "0s", inherited: true, reload: "live" }),
  /**
   * Frames on an hrpc connection that bring nothing, such as pings, canceled and refused calls, beyond the calls that
   * are answered: such a number in `hrpcFloodRecovery`; more end the connection.
   */
  hrpcMaxIdleFrames: prop.integer({
    default: hrpcDefaults.maxIdleFrames,
    min: 10,
    max: 1_000_000,
    inherited: true,
    reload: "live",
  }),
  /**
   * The time in which `hrpcMaxIdleFrames` is available again after it was used up, at an even rate (a token bucket).
   */
  hrpcFloodRecovery: prop.duration({
    default: hrpcDefaults.floodRecovery,
    min: "1ms",
    inherited: true,
    reload: "live",
  }),
};

/** The values of `hrpcProps`. */
export type HrpcSettings = PropsOf<typeof hrpcProps>;
