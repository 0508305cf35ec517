// Who is meant here by whom an issuer names: the user with the same issuer and subject, made on first sight where that is wanted.
// Accounts are never joined by e-mail address: whoever can have an issuer claim an address would then have the account.

import type { TenantRole } from '@stowage/contract';
import type { JWTPayload } from 'jose';
import type { Identity, TenantTable, UserTable } from '../database/account-tables.ts';
import { FilesError, isFilesError } from '../files-error.ts';
import type { RequestPlace } from './caller.ts';
import type { Issuer } from './issuers.ts';
import { newUser } from './sign-in.ts';

/** Throws `unauthenticated` for who is nobody here. */
export type FindNamed = (issuer: Issuer, payload: JWTPayload, place: RequestPlace) => Promise<Identity>;

interface NamedUsersOptions {
  readonly users: UserTable;
  readonly tenants: Pick<TenantTable, 'get'>;
  readonly clock: () => number;
  readonly newId: () => string;
}

const defaultTenantId = 'main';
const tenantIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
const maxSubjectCharacters = 255;
const maxNameCharacters = 200;

export function openNamedUsers({ users, tenants, clock, newId }: NamedUsersOptions): FindNamed {
  async function make(named: Named, role: TenantRole, { address, requestId }: RequestPlace): Promise<void> {
    const { tenantId, issuer, subject, name } = named;
    if ((await tenants.get(tenantId)) === undefined) throw nobody();
    const id = newId();
    const note = {
      tenantId,
      action: 'user.created',
      actor: { kind: 'token', id },
      subject: { kind: 'user', id },
      details: { role, issuer },
      address,
      requestId,
    } as const;
    const made = (email: string | undefined) => ({
      ...newUser({ id, tenantId, name, email, role, nowMs: clock() }),
      issuer,
      subject,
    });
    try {
      await users.add(made(named.email), undefined, note);
    } catch (error) {
      if (!isNameTaken(error)) throw error;
      // Either the address is another user's, and is left out; or the same person came twice at once, and is there now.
      const there = await users.findBySubject({ tenantId, issuer, subject });
      if (there === undefined) await users.add(made(undefined), undefined, note);
    }
  }

  return async (issuer, payload, place) => {
    const named = readNamed(issuer, payload);
    const { settings } = issuer;
    const wanted = readRole(issuer, payload);
    let found = await users.findBySubject(named);
    if (found === undefined) {
      const role = wanted ?? settings.newUserRole;
      if (settings.newUserRole === undefined || role === undefined) throw nobody();
      await make(named, role, place);
      found = await users.findBySubject(named);
    }
    if (found === undefined) throw nobody();
    if (wanted === undefined || wanted === found.role) return found;
    return (await setRole(found, wanted, place)) ?? found;
  };

  /** The role is the issuer's to say. The last owner stays one all the same. */
  async function setRole(found: Identity, role: TenantRole, place: RequestPlace): Promise<Identity | undefined> {
    const { tenantId, userId: id } = found;
    try {
      await users.change(
        { tenantId, id },
        { role },
        {
          tenantId,
          action: 'user.changed',
          actor: { kind: 'token', id },
          subject: { kind: 'user', id },
          details: { role, before: found.role },
          address: place.address,
          requestId: place.requestId,
        },
      );
    } catch (error) {
      if (!(isFilesError(error) && error.code === 'last-owner')) throw error;
    }
    return users.findIdentity({ tenantId, id });
  }
}

interface Named {
  readonly tenantId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  readonly email: string | undefined;
}

function readNamed({ settings }: Issuer, payload: JWTPayload): Named {
  const { claims = {}, tenants } = settings;
  const text = (claim: string): string | undefined => {
    const value = payload[claim];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const tenantId = claims.tenant === undefined ? (settings.tenantId ?? defaultTenantId) : text(claims.tenant);
  const subject = text(claims.user ?? 'sub');
  if (tenantId === undefined || !tenantIdPattern.test(tenantId) || tenants?.includes(tenantId) === false)
    throw nobody();
  if (subject === undefined || subject.length > maxSubjectCharacters) throw nobody();
  const email = payload.email_verified === false ? undefined : text(claims.email ?? 'email');
  const name = text(claims.name ?? 'name') ?? email ?? subject;
  return { tenantId, issuer: settings.issuer, subject, name: name.slice(0, maxNameCharacters), email };
}

function readRole({ settings }: Issuer, payload: JWTPayload): TenantRole | undefined {
  const { claims = {}, roles = {} } = settings;
  const value = claims.role === undefined ? undefined : payload[claims.role];
  const said = Array.isArray(value) ? value : [value];
  // hasOwn: `constructor` is no role.
  const known = said.find((role) => typeof role === 'string' && Object.hasOwn(roles, role));
  return typeof known === 'string' ? roles[known] : undefined;
}

function isNameTaken(error: unknown): boolean {
  return isFilesError(error) && error.code === 'name-taken';
}

function nobody(): FilesError {
  return new FilesError('unauthenticated', {
    detail: 'The token names nobody who may come in here. Ask to be let in.',
  });
}
