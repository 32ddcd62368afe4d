// Opens the web UI of a program, if it is to have one.

import { HemiError } from "@hemi/hemi/base";
import { WebUI, type WebUIOptions } from "./web-ui.ts";

/** `address`: `undefined`: nowhere. A port that is taken costs the web UI, and nothing else. */
export async function openWebUI(
  address: WebUIOptions["address"] | undefined,
  makeOptions: () => Omit<WebUIOptions, "address">,
): Promise<WebUI | undefined> {
  if (address === undefined) return undefined;
  const options = { ...makeOptions(), address };
  try {
    return await WebUI.open(options);
  } catch (error) {
    options.view[Symbol.dispose]();
    if (!(error instanceof HemiError) || error.code !== "HEMI_LISTEN") throw error;
    options.log.warn(`has no web UI: ${error.message}; --webui takes another address, or off`);
    return undefined;
  }
}
