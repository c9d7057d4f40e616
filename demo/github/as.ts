/** Acting as an account by its name, for the admin API. */
import type { Actor } from "./access.ts";
import { Refusal } from "./http.ts";
import { findAccount, type World } from "./world.ts";

export function authenticateAs(world: World, login: string): Actor {
  const account = findAccount(world, login);
  if (!account) throw new Refusal(404, `There is no account ${login}.`);
  return { kind: "user", login: account.login, account };
}
