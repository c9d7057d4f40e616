/** All REST routes that are played, by GitHub's own path templates. */
import type { Route } from "./router.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { checkRoutes } from "./routes/checks.ts";
import { commentRoutes } from "./routes/comments.ts";
import { issueRoutes } from "./routes/issues.ts";
import { pastRoutes } from "./routes/past.ts";
import { labelRoutes } from "./routes/labels.ts";
import { pullRoutes } from "./routes/pulls.ts";
import { repositoryRoutes } from "./routes/repositories.ts";
import { reviewRoutes } from "./routes/reviews.ts";

/** In this order, since `/issues/comments/ID` would also be an issue by the name of `comments`. */
export const ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...repositoryRoutes,
  // Before the rest: `/issues/comments` is no issue.
  ...pastRoutes,
  ...commentRoutes,
  ...labelRoutes,
  ...issueRoutes,
  ...reviewRoutes,
  ...pullRoutes,
  ...checkRoutes,
];
