/** As whom we speak: a token as it is, or an App that mints a token for each installation and keeps it while it lives. */
import { createSign } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import type { Octokit } from "@octokit/rest";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { ForgeAuth } from "./options.ts";

export interface Credentials {
  readonly kind: "token" | "app";
  /** A token that may act on the repository. `fresh`: mint one, whatever is kept. */
  token(repository: RepositoryName, fresh?: boolean): Promise<string>;
  /** The App's own token, for what is asked about the App itself; null where a token is all we have. */
  appToken(): Promise<string> | null;
}

type Request = Octokit["request"];

/** `bare` asks without the throttle and without authorisation; `skewMs` is GitHub's clock minus ours. */
export function createCredentials(auth: ForgeAuth, bare: Request, skewMs: () => number): Credentials {
  return auth.kind === "token" ? fixedToken(auth.token) : appCredentials(auth, bare, skewMs);
}

function fixedToken(token: string): Credentials {
  return { kind: "token", token: async () => token, appToken: () => null };
}

/** A clone of a large repository must not outlive its token. */
const MIN_LIFE_MS = 5 * 60_000;

function appCredentials(auth: ForgeAuth & { kind: "app" }, bare: Request, skewMs: () => number): Credentials {
  const privateKey = auth.privateKey.replaceAll("\\n", "\n");
  const appAuth = createAppAuth({
    appId: auth.appId,
    // Ours, because the library's own does not know that a machine's clock may be wrong.
    createJwt: async (appId) => signAppToken(appId, privateKey, Date.now() + skewMs()),
    request: bare,
  });
  const appToken = async (): Promise<string> => (await appAuth({ type: "app" })).token;
  const installations = new Map<string, Promise<number>>();

  const findInstallation = async (repository: RepositoryName): Promise<number> => {
    const [owner = "", repo = ""] = repository.split("/");
    const headers = { authorization: `bearer ${await appToken()}` };
    const answer = await bare("GET /repos/{owner}/{repo}/installation", { owner, repo, headers });
    return answer.data.id;
  };
  const installation = (repository: RepositoryName): Promise<number> => {
    const key = repository.toLowerCase();
    const found = installations.get(key) ?? findInstallation(repository);
    installations.set(key, found);
    found.catch(() => installations.delete(key));
    return found;
  };

  const mint = async (repository: RepositoryName, refresh: boolean): Promise<string> => {
    const installationId = await installation(repository);
    const kept = await appAuth({ type: "installation", installationId, refresh });
    const lifeMs = Date.parse(kept.expiresAt) - (Date.now() + skewMs());
    if (refresh || lifeMs > MIN_LIFE_MS) return kept.token;
    return (await appAuth({ type: "installation", installationId, refresh: true })).token;
  };

  return {
    kind: "app",
    appToken,
    async token(repository, fresh = false) {
      try {
        return await mint(repository, fresh);
      } catch (error) {
        // The App was installed anew, so the number that we kept is no more.
        if (!(error instanceof Error && "status" in error && error.status === 404)) throw error;
        if (!installations.delete(repository.toLowerCase())) throw error;
        return await mint(repository, true);
      }
    },
  };
}

/** GitHub takes 10 minutes at most, and wants the start in its past. */
export function signAppToken(
  appId: string | number,
  privateKey: string,
  nowMs: number,
): { jwt: string; expiresAt: string } {
  const seconds = Math.floor(nowMs / 1000);
  const claims = { iat: seconds - 60, exp: seconds + 540, iss: String(appId) };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const unsigned = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  const signature = createSign("RSA-SHA256").update(unsigned).sign(privateKey).toString("base64url");
  return { jwt: `${unsigned}.${signature}`, expiresAt: new Date(claims.exp * 1000).toISOString() };
}
