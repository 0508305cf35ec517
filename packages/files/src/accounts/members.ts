// The people of a tenant: users and how they are let in, groups, and grants on folders.

import type {
  ChangeUserRequest,
  CreateGrantRequest,
  CreateUserRequest,
  Grant,
  Group,
  Invitation,
  InvitedUser,
  User,
  UserList,
} from '@stowage/contract';
import type { GrantRecord, GroupRecord, SignInTokenRecord, UserRecord } from '../database/account-rows.ts';
import type { Database } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { topFolderId } from '../tree/folder-record.ts';
import type { AuditNote } from './audit-note.ts';
import { hashToken, newToken } from './secret-token.ts';
import { newUser } from './sign-in.ts';

/** Begins an audit note in the name of who asks. */
export type NoteOf = (
  note: Pick<AuditNote, 'action' | 'subject'> & { readonly tenantId?: string; readonly details?: AuditNote['details'] },
) => AuditNote;

export interface Members {
  listUsers(tenantId: string, page: { readonly cursor?: string; readonly limit?: number }): Promise<UserList>;
  /** Throws `name-taken`. */
  createUser(tenantId: string, request: CreateUserRequest, noteOf: NoteOf): Promise<InvitedUser>;
  getUser(user: TenantId): Promise<User>;
  /** Throws `not-found`, `name-taken`, `last-owner`, and `forbidden` as all that changes how somebody is let in: see `MemberChange`. */
  changeUser(user: TenantId, request: ChangeUserRequest, by: MemberChange): Promise<User>;
  /** Throws `not-found`, `forbidden`. */
  inviteUser(user: TenantId, by: MemberChange): Promise<Invitation>;
  /** Throws `not-found`, `forbidden`. */
  resetSecondFactor(user: TenantId, by: MemberChange): Promise<void>;
  listGroups(tenantId: string): Promise<readonly Group[]>;
  createGroup(tenantId: string, name: string, noteOf: NoteOf): Promise<Group>;
  getGroup(group: TenantId): Promise<Group>;
  renameGroup(group: TenantId, name: string, noteOf: NoteOf): Promise<Group>;
  removeGroup(group: TenantId, noteOf: NoteOf): Promise<void>;
  addMember(group: TenantId, userId: string, noteOf: NoteOf): Promise<void>;
  removeMember(group: TenantId, userId: string, noteOf: NoteOf): Promise<void>;
  listGrants(
    tenantId: string,
    filter: { readonly folderId?: string; readonly userId?: string; readonly groupId?: string },
  ): Promise<readonly Grant[]>;
  /** Throws `not-found` for the folder, the user or the group. */
  setGrant(tenantId: string, request: CreateGrantRequest, noteOf: NoteOf): Promise<Grant>;
  removeGrant(grant: TenantId, noteOf: NoteOf): Promise<void>;
}

/** Who changes a user. */
interface MemberChange {
  readonly noteOf: NoteOf;
  /**
   * Whether they run the service. Whoever does stands above the owners of the tenant that they are a user of: an owner who could let
   * somebody in as them would be them.
   */
  readonly runsService: boolean;
}

interface MembersOptions {
  readonly database: Pick<Database, 'accounts' | 'users' | 'groups' | 'grants' | 'folders'>;
  readonly limits: Pick<FilesLimits, 'invitationLifeMs' | 'maxGroups' | 'maxGrants'>;
  readonly invitations: Invitations;
  readonly clock: () => number;
  readonly newId: () => string;
}

/** Makes links that sign somebody in. */
export interface Invitations {
  make(user: TenantId): { readonly invitation: Invitation; readonly token: SignInTokenRecord };
}

interface InvitationsOptions {
  readonly limits: Pick<FilesLimits, 'invitationLifeMs'>;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  /** Under which people reach the service, without a slash at the end. */
  readonly origin: string;
}

export function openInvitations({ limits, clock, random, origin }: InvitationsOptions): Invitations {
  return {
    make: ({ tenantId, id: userId }) => {
      const token = newToken(random);
      const expiresAtMs = clock() + limits.invitationLifeMs;
      return {
        // After `#`, so that the token reaches no server, no log and no Referer.
        invitation: { url: `${origin}/sign-in#token=${token}`, expiresAt: isoDate(expiresAtMs) },
        token: { tokenHash: hashToken(token), tenantId, userId, issuedBy: 'member', expiresAtMs },
      };
    },
  };
}

const defaultPageSize = 50;

export function openMembers({ database, limits, invitations, clock, newId }: MembersOptions): Members {
  const { accounts, users, groups, grants, folders } = database;

  async function requireUser(user: TenantId): Promise<UserRecord> {
    const found = await users.get(user);
    if (found === undefined) throw new FilesError('not-found', { detail: `There is no user ${user.id}.` });
    return found;
  }

  /** Throws `not-found`, and `forbidden` for somebody who runs the service unless it is asked by one who does. */
  async function requireChangeable(user: TenantId, { runsService }: MemberChange): Promise<UserRecord> {
    const found = await requireUser(user);
    if (found.serviceAdmin === 0 || runsService) return found;
    throw new FilesError('forbidden', {
      detail: `User ${user.id} runs the service: only somebody who does, too, may change how they are let in.`,
    });
  }

  async function requireGroup(group: TenantId): Promise<GroupRecord> {
    const found = await groups.get(group);
    if (found === undefined) throw new FilesError('not-found', { detail: `There is no group ${group.id}.` });
    return found;
  }

  async function showGroup(group: TenantId): Promise<Group> {
    const found = await requireGroup(group);
    return shownGroup(found, (await groups.members(group.tenantId, [group.id])).get(group.id) ?? []);
  }

  return {
    listUsers: async (tenantId, { cursor, limit = defaultPageSize }) => {
      const rows = await users.list({ tenantId, limit: limit + 1, afterId: cursor });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        users: page.map(shownUser),
        ...(rows.length > limit && last !== undefined ? { nextCursor: last.id } : {}),
      };
    },

    createUser: async (tenantId, { name, email, role }, noteOf) => {
      const user = newUser({ id: newId(), tenantId, name, email, role, nowMs: clock() });
      const { invitation, token } = invitations.make(user);
      const subject = { kind: 'user', id: user.id };
      await users.add(user, token, noteOf({ action: 'user.created', subject, details: { role } }));
      return { user: shownUser(user), invitation };
    },

    getUser: async (user) => shownUser(await requireUser(user)),

    changeUser: async (user, { name, email, role, disabled }, by) => {
      const before = await requireChangeable(user, by);
      const disabledAtMs = disabled === true ? (before.disabledAtMs ?? clock()) : null;
      const changes = {
        ...(name === undefined ? {} : { name }),
        ...(email === undefined ? {} : { email }),
        ...(role === undefined ? {} : { role }),
        ...(disabled === undefined ? {} : { disabledAtMs }),
      };
      if (Object.keys(changes).length === 0) return shownUser(before);
      const details = {
        ...(name === undefined ? {} : { name }),
        ...(email === undefined ? {} : { email }),
        ...(role === undefined ? {} : { role, before: before.role }),
        ...(disabled === undefined ? {} : { disabled }),
      };
      const note = by.noteOf({ action: 'user.changed', subject: { kind: 'user', id: user.id }, details });
      const changed = await users.change(user, changes, note);
      if (changed === undefined) throw new FilesError('not-found', { detail: `There is no user ${user.id}.` });
      return shownUser(changed);
    },

    inviteUser: async (user, by) => {
      await requireChangeable(user, by);
      const { invitation, token } = invitations.make(user);
      await accounts.addSignInToken(
        token,
        by.noteOf({ action: 'user.invited', subject: { kind: 'user', id: user.id } }),
      );
      return invitation;
    },

    resetSecondFactor: async (user, by) => {
      await requireChangeable(user, by);
      const note = by.noteOf({ action: 'second-factor.removed', subject: { kind: 'user', id: user.id } });
      await users.removeAuthenticator(user, note);
    },

    listGroups: async (tenantId) => {
      const rows = await groups.list(tenantId, limits.maxGroups);
      const members = await groups.members(
        tenantId,
        rows.map(({ id }) => id),
      );
      return rows.map((group) => shownGroup(group, members.get(group.id) ?? []));
    },

    createGroup: async (tenantId, name, noteOf) => {
      const group = { id: newId(), tenantId, name, createdAtMs: clock() };
      const subject = { kind: 'group', id: group.id };
      const note = noteOf({ action: 'group.created', subject, details: { name } });
      if (!(await groups.add(group, note, limits.maxGroups))) {
        throw new FilesError('forbidden', { detail: `There are ${limits.maxGroups} groups already.` });
      }
      return shownGroup(group, []);
    },

    getGroup: showGroup,

    renameGroup: async (group, name, noteOf) => {
      const note = noteOf({ action: 'group.changed', subject: { kind: 'group', id: group.id }, details: { name } });
      if (!(await groups.rename(group, name, note))) await requireGroup(group);
      return showGroup(group);
    },

    removeGroup: async (group, noteOf) => {
      const note = noteOf({ action: 'group.deleted', subject: { kind: 'group', id: group.id } });
      if (!(await groups.remove(group, note))) await requireGroup(group);
    },

    addMember: async (group, userId, noteOf) => {
      const subject = { kind: 'group', id: group.id };
      const note = noteOf({ action: 'group.member-added', subject, details: { userId } });
      if (await groups.addMember(group, userId, note)) return;
      await requireGroup(group);
      throw new FilesError('not-found', { detail: `There is no user ${userId}.` });
    },

    removeMember: async (group, userId, noteOf) => {
      await requireGroup(group);
      await requireUser({ tenantId: group.tenantId, id: userId });
      const subject = { kind: 'group', id: group.id };
      await groups.removeMember(
        group,
        userId,
        noteOf({ action: 'group.member-removed', subject, details: { userId } }),
      );
    },

    listGrants: async (tenantId, { folderId, userId, groupId }) => {
      if (userId !== undefined) await requireUser({ tenantId, id: userId });
      if (groupId !== undefined) await requireGroup({ tenantId, id: groupId });
      if (folderId !== undefined) await requireFolder({ tenantId, id: folderId });
      const rows = await grants.list({ tenantId, folderId, userId, groupId, limit: limits.maxGrants });
      return rows.map(shownGrant);
    },

    setGrant: async (tenantId, { folderId, role, userId, groupId }, noteOf) => {
      await requireFolder({ tenantId, id: folderId });
      const subjectKind = userId === undefined ? 'group' : 'user';
      const subjectId = userId ?? groupId ?? '';
      await (subjectKind === 'user' ? requireUser : requireGroup)({ tenantId, id: subjectId });
      const grant: GrantRecord = {
        id: newId(),
        tenantId,
        folderId,
        subjectKind,
        subjectId,
        role,
        createdAtMs: clock(),
      };
      const details = { folderId, role, [`${subjectKind}Id`]: subjectId };
      const note = noteOf({ action: 'grant.set', subject: { kind: 'folder', id: folderId }, details });
      const set = await grants.set(grant, note, limits.maxGrants);
      if (set === undefined) {
        throw new FilesError('forbidden', { detail: `There are ${limits.maxGrants} grants already. Use groups.` });
      }
      return shownGrant(set);
    },

    removeGrant: async (grant, noteOf) => {
      const found = await grants.get(grant);
      const details =
        found === undefined ? {} : { folderId: found.folderId, role: found.role, subjectId: found.subjectId };
      const note = noteOf({ action: 'grant.deleted', subject: { kind: 'grant', id: grant.id }, details });
      if (found === undefined || !(await grants.remove(grant, note))) {
        throw new FilesError('not-found', { detail: `There is no grant ${grant.id}.` });
      }
    },
  };

  async function requireFolder(folder: TenantId): Promise<void> {
    if (folder.id === topFolderId || (await folders.get(folder)) !== undefined) return;
    throw new FilesError('not-found', { detail: `There is no folder ${folder.id}.` });
  }
}

/** A user as those see them who look after the tenant. */
export function shownUser(user: UserRecord): User {
  const { id, name, email, role, createdAtMs, disabledAtMs, issuer } = user;
  return {
    id,
    name,
    ...(email === null ? {} : { email }),
    role,
    createdAt: isoDate(createdAtMs),
    ...(disabledAtMs === null ? {} : { disabledAt: isoDate(disabledAtMs) }),
    hasPassword: user.passwordHash !== null,
    hasSecondFactor: user.authenticatorAtMs !== null,
    ...(issuer === null ? {} : { issuer }),
  };
}

function shownGroup({ id, name, createdAtMs }: GroupRecord, memberIds: readonly string[]): Group {
  return { id, name, createdAt: isoDate(createdAtMs), memberIds };
}

function shownGrant({ id, folderId, role, subjectKind, subjectId, createdAtMs }: GrantRecord): Grant {
  const subject = subjectKind === 'user' ? { userId: subjectId } : { groupId: subjectId };
  return { id, folderId, role, ...subject, createdAt: isoDate(createdAtMs) };
}
