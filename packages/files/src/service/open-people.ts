// Who may come in, and how: accounts, sessions, keys, issuers of tokens, members and tenants.

import { openApiKeys } from '../accounts/api-keys.ts';
import { openAuditLog } from '../accounts/audit-log.ts';
import { openBearerTokens } from '../accounts/bearer-tokens.ts';
import { openIssuers } from '../accounts/issuers.ts';
import { openInvitations, openMembers } from '../accounts/members.ts';
import { openNamedUsers } from '../accounts/named-users.ts';
import { openOidcSignIn } from '../accounts/oidc-sign-in.ts';
import { openOwnAccount } from '../accounts/own-account.ts';
import { openPasswordHashes } from '../accounts/password-hash.ts';
import { openRecognise } from '../accounts/recognise.ts';
import { openSecondFactor } from '../accounts/second-factor.ts';
import { openSignIn } from '../accounts/sign-in.ts';
import { openTenants } from '../accounts/tenants.ts';
import type { FileServiceOptions } from '../file-service-options.ts';
import { openRateLimit } from '../http/rate-limit.ts';
import type { Ground } from './open-ground.ts';

export type People = ReturnType<typeof openPeople>;

export function openPeople(ground: Ground, { issuers: given = {} }: Pick<FileServiceOptions, 'issuers'>) {
  const { limits, clock, random, secret, origin, fetch, database } = ground;
  const issuers = openIssuers({ issuers: given, clock, fetch, origin });
  const passwords = openPasswordHashes(random);
  const tries = openRateLimit({
    perSecond: limits.passwordTriesPerMinute / 60,
    burst: limits.passwordTriesPerMinute,
    clock,
  });
  const secondFactor = openSecondFactor({ users: database.users, secret, clock, random });
  const people = { ...ground, ...database, database, passwords, secondFactor, tries };
  const signIn = openSignIn(people);
  const findNamed = openNamedUsers(people);
  const oidc = openOidcSignIn({ ...people, issuers, findNamed, signIn });
  const apiKeys = openApiKeys(people);
  const invitations = openInvitations({ limits, clock, random, origin });
  return {
    passwords,
    signIn,
    oidc,
    apiKeys,
    ownAccount: openOwnAccount(people),
    members: openMembers({ ...people, invitations }),
    tenants: openTenants({ ...people, invitations }),
    auditLog: openAuditLog({ audit: database.audit, secret }),
    recognise: openRecognise({ ...people, apiKeys, recogniseToken: openBearerTokens({ issuers, findNamed }) }),
  };
}
