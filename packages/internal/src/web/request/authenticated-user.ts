// Who has asked, as a checker has found out.

import { LocalKey } from "./locals.ts";

/** The user whom a checker has authenticated, such as `basicAuth`: `req.locals.get(authenticatedUser)`. */
export const authenticatedUser = new LocalKey<string>("authenticatedUser");
