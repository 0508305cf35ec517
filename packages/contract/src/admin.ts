// People and rights as those see them who look after a tenant, and tenants as those see them who run the service.

import { z } from 'zod';
import { tenantRoleSchema } from './account.ts';
import { emailSchema } from './identity.ts';
import { type Role, roleNames, type TenantRole } from './rights.ts';

const nameSchema = z.string().min(1).max(200);
const quotaSchema = z.int().min(0);
const idSchema = z.string().min(1).max(64);
const roleSchema: z.ZodType<Role> = z.enum(roleNames as [Role, ...Role[]]);

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  /** Since when nobody of it may do anything. */
  readonly suspendedAt?: string;
  /** Absent: as much as the bucket takes. */
  readonly quotaBytes?: number;
  readonly quotaFiles?: number;
  readonly usage: Usage;
}

/** What files take up, and what is promised to uploads on their way. */
export interface Usage {
  readonly usedBytes: number;
  readonly usedFiles: number;
  readonly reservedBytes: number;
  readonly reservedFiles: number;
}

const usageSchema: z.ZodType<Usage> = z.object({
  usedBytes: z.int(),
  usedFiles: z.int(),
  reservedBytes: z.int(),
  reservedFiles: z.int(),
});

export const tenantSchema: z.ZodType<Tenant> = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.iso.datetime(),
  suspendedAt: z.iso.datetime().exactOptional(),
  quotaBytes: z.int().exactOptional(),
  quotaFiles: z.int().exactOptional(),
  usage: usageSchema,
});

export interface TenantList {
  readonly tenants: readonly Tenant[];
  readonly nextCursor?: string;
}

export const tenantListSchema: z.ZodType<TenantList> = z.object({
  tenants: z.array(tenantSchema),
  nextCursor: z.string().exactOptional(),
});

export interface CreateTenantRequest {
  /** 1 to 64 letters, digits, `-` and `_`. Default: made. It stands in the keys of objects and never changes. */
  readonly id?: string;
  readonly name: string;
  readonly quotaBytes?: number;
  readonly quotaFiles?: number;
  /** The first user, an owner. */
  readonly owner: { readonly name: string; readonly email?: string };
}

export const createTenantRequestSchema: z.ZodType<CreateTenantRequest> = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'expected 1 to 64 letters, digits, - and _')
    .exactOptional(),
  name: nameSchema,
  quotaBytes: quotaSchema.exactOptional(),
  quotaFiles: quotaSchema.exactOptional(),
  owner: z.strictObject({ name: nameSchema, email: emailSchema.exactOptional() }),
});

/** What is not named stays as it is. `null` takes a quota away. */
export interface ChangeTenantRequest {
  readonly name?: string;
  readonly suspended?: boolean;
  readonly quotaBytes?: number | null;
  readonly quotaFiles?: number | null;
}

export const changeTenantRequestSchema: z.ZodType<ChangeTenantRequest> = z.strictObject({
  name: nameSchema.exactOptional(),
  suspended: z.boolean().exactOptional(),
  quotaBytes: quotaSchema.nullable().exactOptional(),
  quotaFiles: quotaSchema.nullable().exactOptional(),
});

export interface User {
  readonly id: string;
  readonly name: string;
  /** Absent: signs in by a link or an issuer alone. */
  readonly email?: string;
  readonly role: TenantRole;
  readonly createdAt: string;
  /** Since when they may do nothing. */
  readonly disabledAt?: string;
  readonly hasPassword: boolean;
  readonly hasSecondFactor: boolean;
  /** The issuer whose tokens name them. */
  readonly issuer?: string;
}

export const userSchema: z.ZodType<User> = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().exactOptional(),
  role: tenantRoleSchema,
  createdAt: z.iso.datetime(),
  disabledAt: z.iso.datetime().exactOptional(),
  hasPassword: z.boolean(),
  hasSecondFactor: z.boolean(),
  issuer: z.string().exactOptional(),
});

export interface UserList {
  readonly users: readonly User[];
  readonly nextCursor?: string;
}

export const userListSchema: z.ZodType<UserList> = z.object({
  users: z.array(userSchema),
  nextCursor: z.string().exactOptional(),
});

export interface CreateUserRequest {
  readonly name: string;
  readonly email?: string;
  readonly role: TenantRole;
}

export const createUserRequestSchema: z.ZodType<CreateUserRequest> = z.strictObject({
  name: nameSchema,
  email: emailSchema.exactOptional(),
  role: tenantRoleSchema,
});

/** What is not named stays as it is. */
export interface ChangeUserRequest {
  readonly name?: string;
  /** `null` takes it away, and with it signing in by password. */
  readonly email?: string | null;
  readonly role?: TenantRole;
  /** Ends their sessions too; their keys do nothing while it lasts. */
  readonly disabled?: boolean;
}

export const changeUserRequestSchema: z.ZodType<ChangeUserRequest> = z.strictObject({
  name: nameSchema.exactOptional(),
  email: emailSchema.nullable().exactOptional(),
  role: tenantRoleSchema.exactOptional(),
  disabled: z.boolean().exactOptional(),
});

/** A link that signs one user in, once. Give it to nobody else: the service sends no mail. */
export interface Invitation {
  readonly url: string;
  readonly expiresAt: string;
}

export const invitationSchema: z.ZodType<Invitation> = z.object({ url: z.string(), expiresAt: z.iso.datetime() });

export interface InvitedUser {
  readonly user: User;
  readonly invitation: Invitation;
}

export const invitedUserSchema: z.ZodType<InvitedUser> = z.object({ user: userSchema, invitation: invitationSchema });

export interface CreatedTenant {
  readonly tenant: Tenant;
  readonly owner: InvitedUser;
}

export const createdTenantSchema: z.ZodType<CreatedTenant> = z.object({
  tenant: tenantSchema,
  owner: invitedUserSchema,
});

export interface Quotas {
  readonly quotaBytes?: number;
  readonly quotaFiles?: number;
  readonly usage: Usage;
  /** Those who hold something, the one who holds the most first; at most 1,000. */
  readonly users: readonly (Usage & { readonly userId: string })[];
}

export const quotasSchema: z.ZodType<Quotas> = z.object({
  quotaBytes: z.int().exactOptional(),
  quotaFiles: z.int().exactOptional(),
  usage: usageSchema,
  users: z.array(
    z.object({
      userId: z.string(),
      usedBytes: z.int(),
      usedFiles: z.int(),
      reservedBytes: z.int(),
      reservedFiles: z.int(),
    }),
  ),
});

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  /** Of users, the oldest first. */
  readonly memberIds: readonly string[];
}

export const groupSchema: z.ZodType<Group> = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.iso.datetime(),
  memberIds: z.array(z.string()),
});

export interface GroupList {
  readonly groups: readonly Group[];
}

export const groupListSchema: z.ZodType<GroupList> = z.object({ groups: z.array(groupSchema) });

export interface GroupRequest {
  readonly name: string;
}

export const groupRequestSchema: z.ZodType<GroupRequest> = z.strictObject({ name: nameSchema });

export interface AddGroupMemberRequest {
  readonly userId: string;
}

export const addGroupMemberRequestSchema: z.ZodType<AddGroupMemberRequest> = z.strictObject({ userId: idSchema });

/** A role on a folder and all below it, for a user or a group. */
export interface Grant {
  readonly id: string;
  /** Empty: the top, and so all there is. */
  readonly folderId: string;
  readonly role: Role;
  readonly userId?: string;
  readonly groupId?: string;
  readonly createdAt: string;
}

export const grantSchema: z.ZodType<Grant> = z.object({
  id: z.string(),
  folderId: z.string(),
  role: roleSchema,
  userId: z.string().exactOptional(),
  groupId: z.string().exactOptional(),
  createdAt: z.iso.datetime(),
});

export interface GrantList {
  readonly grants: readonly Grant[];
}

export const grantListSchema: z.ZodType<GrantList> = z.object({ grants: z.array(grantSchema) });

export const listGrantsQuerySchema = z.strictObject({
  folderId: z.string().max(64).exactOptional(),
  userId: idSchema.exactOptional(),
  groupId: idSchema.exactOptional(),
});

export interface CreateGrantRequest {
  /** Empty: the top, and so all there is. */
  readonly folderId: string;
  /** In place of the one that the user or group has on this folder. */
  readonly role: Role;
  /** Either this or `groupId`. */
  readonly userId?: string;
  readonly groupId?: string;
}

export const createGrantRequestSchema: z.ZodType<CreateGrantRequest> = z
  .strictObject({
    folderId: z.string().max(64),
    role: roleSchema,
    userId: idSchema.exactOptional(),
    groupId: idSchema.exactOptional(),
  })
  .refine(({ userId, groupId }) => (userId === undefined) !== (groupId === undefined), {
    message: 'expected either userId or groupId',
  });
