// Leaves HTTP: whoever has the tunnel runs outside of any call of ours, and must not end the process.

import type { Duplex } from "node:stream";
import { guarded, guardListeners } from "@hemi/common";
import type { ExchanWire, TunnelHead } from "../../http/exchan.ts";

/**
 * Opens the tunnel. `end` asks whoever has it to end it, by `drained`, which is called once. `failed` is told what that
 * throws, or a listener of the stream, which is destroyed.
 */
export function openTunnel(
  wire: ExchanWire,
  head: TunnelHead,
  drained: () => void,
  failed: (error: unknown) => void,
): { readonly tunnel: Duplex; readonly end: () => void } {
  const fail = (error: unknown): void => {
    failed(error);
    tunnel.destroy();
  };
  let isTold = false;
  const end = (): void => {
    if (isTold) return;
    isTold = true;
    guarded(drained, fail);
  };
  const tunnel = wire.tunnel(head, end);
  guardListeners(tunnel, { fail });
  return { tunnel, end };
}
