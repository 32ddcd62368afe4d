// The props of socksServer.

import type { PropsOf } from "@hemi/internal";
import { clientAccessProps, handshakeProps } from "./client-access.ts";
import { connServerProps } from "./conn-server.ts";

export const socksProps = { ...connServerProps, ...clientAccessProps, ...handshakeProps };

export type SocksSettings = PropsOf<typeof socksProps>;
