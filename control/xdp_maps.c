/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules in the maps: read back, and changed from one set to another. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/xdp_private.h"

/* ---- read ---------------------------------------------------------------------------------------- */

static int load_array(int map, uint8_t *flags, unsigned n, const char *name, struct tg_error *err)
{
	uint32_t i, value;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		rc = tg_xdp_get(map, i, &value, name, err);
		/* PORTS follows from the ports. */
		flags[i] = (uint8_t)(value & ~(uint32_t)TG_STEER_RULE_PORTS);
	}
	return rc;
}

static int load_ports(int map, struct tg_xdp_rules *r, struct tg_error *err)
{
	struct tg_steer_port_key key, *last = NULL;
	uint32_t flags;
	unsigned i;

	while (bpf_map_get_next_key(map, last, &key) == 0) {
		last = &key;
		if (bpf_map_lookup_elem(map, &key, &flags) != 0)
			continue;
		for (i = 0; i < TG_XDP_PORT_PROTOCOL_COUNT; i++) {
			if (tg_xdp_port_protocol[i] != key.protocol)
				continue;
			r->n_ports += !r->ports[i][key.port];
			r->ports[i][key.port] = (uint8_t)flags;
		}
	}
	return errno == ENOENT ? 0
			       : tg_error_set(err, -errno, "map rule_ports: %s", strerror(errno));
}

static int load_nets(int map, struct tg_xdp_rules *r, struct tg_error *err)
{
	struct tg_steer_net_key key, *last = NULL;
	struct tg_steer_net_rule rule;
	unsigned at;

	while (bpf_map_get_next_key(map, last, &key) == 0) {
		last = &key;
		/* A lookup finds the longest prefix that covers the key: of a key of the trie, itself. */
		if (bpf_map_lookup_elem(map, &key, &rule) != 0 ||
		    r->n_nets == TG_STEER_MAX_NET_RULES || tg_xdp_rules_find_net(r, &key, &at))
			continue;
		memmove(&r->nets[at + 1], &r->nets[at], (r->n_nets++ - at) * sizeof(r->nets[0]));
		r->nets[at] = (struct tg_xdp_net){ key, rule.flags };
	}
	return errno == ENOENT ? 0
			       : tg_error_set(err, -errno, "map rule_nets: %s", strerror(errno));
}

int tg_xdp_load_rules(const struct tg_xdp_maps *maps, struct tg_xdp_rules *r, struct tg_error *err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	rc = load_array(maps->rule_protocols, r->protocols, TG_STEER_PROTOCOLS, "rule_protocols",
			err);
	if (rc == 0)
		rc = load_array(maps->rule_vlans, r->vlans, TG_STEER_VLANS, "rule_vlans", err);
	if (rc == 0)
		rc = load_array(maps->rule_reasons, r->reasons, TG_REASON_COUNT, "rule_reasons",
				err);
	if (rc == 0)
		rc = load_ports(maps->rule_ports, r, err);
	return rc ? rc : load_nets(maps->rule_nets, r, err);
}

/* ---- write --------------------------------------------------------------------------------------- */

/* What is added or changed comes first, in every map; then what goes. */
enum pass {
	ADD,
	REMOVE
};

static int pass_array(int map, const uint8_t *from, const uint8_t *to, unsigned n, enum pass pass,
		      struct tg_error *err)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		const uint32_t value = to[i];

		if (from[i] != to[i] && (to[i] != 0) == (pass == ADD))
			rc = tg_xdp_put(map, i, &value, "of rules", err);
	}
	return rc;
}

/* Fragments go by their protocol: PORTS is set as long as one of its ports is steered. */
static uint32_t protocol_flags(const struct tg_xdp_rules *r, unsigned protocol)
{
	uint32_t flags = r->protocols[protocol];
	unsigned i, port;

	for (i = 0; i < TG_XDP_PORT_PROTOCOL_COUNT; i++) {
		for (port = 0; tg_xdp_port_protocol[i] == protocol && port < 65536; port++) {
			if (r->ports[i][port] & TG_STEER_RULE_STEER)
				return flags | TG_STEER_RULE_PORTS;
		}
	}
	return flags;
}

static int pass_protocols(int map, const struct tg_xdp_rules *from, const struct tg_xdp_rules *to,
			  enum pass pass, struct tg_error *err)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < TG_STEER_PROTOCOLS && rc == 0; i++) {
		const uint32_t old = protocol_flags(from, i), value = protocol_flags(to, i);
		/* PORTS goes last, so that no port is steered without its fragments. */
		const uint32_t first = value ? value | (old & TG_STEER_RULE_PORTS) : old;

		if (pass == ADD && first != old)
			rc = tg_xdp_put(map, i, &first, "rule_protocols", err);
		else if (pass == REMOVE && value != first)
			rc = tg_xdp_put(map, i, &value, "rule_protocols", err);
	}
	return rc;
}

static int put_or_delete(int map, const void *key, const void *value, bool put, const char *name,
			 struct tg_error *err)
{
	int rc = put ? bpf_map_update_elem(map, key, value, BPF_ANY)
		     : bpf_map_delete_elem(map, key);

	if (!put && rc == -ENOENT)
		rc = 0;
	return rc == 0 ? 0 : tg_error_set(err, rc, "map %s: %s", name, strerror(-rc));
}

static int pass_ports(int map, const struct tg_xdp_rules *from, const struct tg_xdp_rules *to,
		      enum pass pass, struct tg_error *err)
{
	unsigned i, port;
	int rc = 0;

	for (i = 0; i < TG_XDP_PORT_PROTOCOL_COUNT; i++) {
		for (port = 1; port < 65536 && rc == 0; port++) {
			const struct tg_steer_port_key key = {
				.port = (uint16_t)port, .protocol = tg_xdp_port_protocol[i]
			};
			const uint32_t value = to->ports[i][port];

			if (from->ports[i][port] != value && (value != 0) == (pass == ADD))
				rc = put_or_delete(map, &key, &value, pass == ADD, "rule_ports",
						   err);
		}
	}
	return rc;
}

static int pass_nets(int map, const struct tg_xdp_rules *from, const struct tg_xdp_rules *to,
		     enum pass pass, struct tg_error *err)
{
	const struct tg_xdp_rules *const some = pass == ADD ? to : from;
	const struct tg_xdp_rules *const other = pass == ADD ? from : to;
	unsigned i, at;
	int rc = 0;

	for (i = 0; i < some->n_nets && rc == 0; i++) {
		const struct tg_xdp_net *n = &some->nets[i];
		const struct tg_steer_net_rule rule = { n->flags, n->key.prefix_len };
		const bool found = tg_xdp_rules_find_net(other, &n->key, &at);

		if (!found || (pass == ADD && other->nets[at].flags != n->flags))
			rc = put_or_delete(map, &n->key, &rule, pass == ADD, "rule_nets", err);
	}
	return rc;
}

static int run_pass(const struct tg_xdp_maps *m, const struct tg_xdp_rules *from,
		    const struct tg_xdp_rules *to, enum pass pass, struct tg_error *err)
{
	int rc = 0;

	if (pass == ADD)
		rc = pass_protocols(m->rule_protocols, from, to, pass, err);
	if (rc == 0)
		rc = pass_array(m->rule_vlans, from->vlans, to->vlans, TG_STEER_VLANS, pass, err);
	if (rc == 0)
		rc = pass_array(m->rule_reasons, from->reasons, to->reasons, TG_STEER_MAX_REASONS,
				pass, err);
	if (rc == 0)
		rc = pass_ports(m->rule_ports, from, to, pass, err);
	if (rc == 0)
		rc = pass_nets(m->rule_nets, from, to, pass, err);
	if (rc == 0 && pass == REMOVE)
		rc = pass_protocols(m->rule_protocols, from, to, pass, err);
	return rc;
}

int tg_xdp_apply_rules(const struct tg_xdp_maps *maps, const struct tg_xdp_rules *from,
		       const struct tg_xdp_rules *to, struct tg_error *err)
{
	int rc = run_pass(maps, from, to, ADD, err);

	if (rc == 0)
		rc = run_pass(maps, from, to, REMOVE, err);
	if (rc == 0)
		return 0;
	/* Whatever part of `to` is in the maps by now is what `from` lacks, or has otherwise. */
	run_pass(maps, to, from, ADD, NULL);
	run_pass(maps, to, from, REMOVE, NULL);
	return rc;
}

static int change_locked(struct tg_xdp *xdp, struct tg_xdp_rules pair[2],
			 int (*change)(void *ctx, struct tg_xdp_rules *r, struct tg_error *err),
			 void *ctx, struct tg_error *err)
{
	const int lock = tg_xdp_lock(xdp->dir, err);
	int rc;

	if (lock < 0)
		return lock;
	rc = tg_xdp_load_rules(&xdp->maps, &pair[0], err);
	if (rc == 0) {
		pair[1] = pair[0];
		rc = change(ctx, &pair[1], err);
	}
	if (rc == 0)
		rc = tg_xdp_apply_rules(&xdp->maps, &pair[0], &pair[1], err);
	close(lock);
	return rc;
}

int tg_xdp_change_rules(struct tg_xdp *xdp,
			int (*change)(void *ctx, struct tg_xdp_rules *r, struct tg_error *err),
			void *ctx, struct tg_error *err)
{
	struct tg_xdp_rules *pair = malloc(2 * sizeof(*pair)); /* as they are, as they shall be */
	int rc;

	if (!pair)
		return tg_error_set(err, -ENOMEM, "no memory");
	rc = change_locked(xdp, pair, change, ctx, err);
	free(pair);
	return rc;
}

int tg_xdp_read_rules(struct tg_xdp *xdp, struct tg_xdp_rules *r, struct tg_error *err)
{
	return tg_xdp_load_rules(&xdp->maps, r, err);
}
