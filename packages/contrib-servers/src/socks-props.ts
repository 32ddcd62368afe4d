// The props of socksServer.

import type { PropsOf } from "@hemi/internal";
import { clientAccessProps } from "./client-access.ts";
import { connServerProps } from "./conn-server.ts";

export const socksProps = { ...connServerProps, ...clientAccessProps };

export type SocksSettings = PropsOf<typeof socksProps>;
