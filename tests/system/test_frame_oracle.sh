#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: captures
#
# tg_frame_walk against tshark's dissection, frame by frame, over all Ethernet captures: VLAN ids,
# protocol, ports, length and first bytes of every UDP payload, and why a frame is not looked into.
# tshark neither reassembles nor stops here: the walk sees single frames, their outermost IP header.
set -u -o pipefail
walk=${TG_BUILD:-build}/tests/frame_walk
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
command -v tshark >/dev/null || { echo "tshark is not installed"; exit 77; }

# Frames that tshark's fields cannot decide, each with its reason:
#   capture  frame  what the walk says
cat >"$tmp/explained" <<'END'
the-tcpdump-group+tcpdump__gre-heapoverflow-1.pcap	2	ip_malformed	header length 0
the-tcpdump-group+tcpdump__ip6_frag_asan.pcap	1	truncated	cut inside the fragment header
the-tcpdump-group+tcpdump__ipv6_frag6_negative_len.pcap	1	ip_malformed	payload length ends inside the fragment header
END

fields=(frame.protocols vlan.id ieee8021ad.id ip.proto ip.flags.mf ip.frag_offset
	ipv6.fraghdr.more ipv6.fraghdr.offset udp.srcport udp.dstport udp.length udp.payload
	tcp.srcport tcp.dstport tcp.len tcp.payload)
find ../shared/captures \( -name '*.pcap' -o -name '*.cap' -o -name '*.pcapng' \) -print0 |
	sort -z | xargs -0 "$walk" "$tmp/merged.pcap" >"$tmp/walk" 2>"$tmp/errors" || exit 1
tshark -r "$tmp/merged.pcap" -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields \
	"${fields[@]/#/-e}" >"$tmp/tshark" 2>>"$tmp/errors" || { cat "$tmp/errors"; exit 1; }
[ "$(wc -l <"$tmp/walk")" -eq "$(wc -l <"$tmp/tshark")" ] || { echo "tshark left frames out"; exit 1; }

paste "$tmp/walk" "$tmp/tshark" | awk -F '\t' -v explained="$tmp/explained" '
function first(field) { sub(/,.*/, "", field); return field }
function is_text(hex) { return hex ~ /^((4[1-9a-f]|5[0-9a])(4[1-9a-f]|5[0-9a])(4[1-9a-f]|5[0-9a])|0[ad](0[ad]|4[1-9a-f]|5[0-9a])..)/ }

# What the walk must say, from the protocols that tshark found, down to the one above IP.
function expect(    n, i, t, tags, labels, ip) {
	n = split($9, layer, ":")
	for (i = 2; i <= n && layer[i] ~ /^(ethertype|vlan|ieee8021ad)$/; i++)
		tags += layer[i] != "ethertype"
	t = i <= n ? layer[i] : ""
	if (tags > 3) return "vlan_depth"
	if (t == "mpls") {
		while (layer[i] == "mpls" && i <= n) { labels++; i++ }
		t = i <= n ? layer[i] : ""
		if (labels > 4 || (t != "ip" && t != "ipv6")) return "mpls"
	}
	if (t == "pppoes") return "pppoe"
	if (t ~ /^(nsh|cmd|macsec|ieee8021ah)$/) return "tunnel"
	if (t != "ip" && t != "ipv6") return "not_ip"
	ip = t
	if (ip == "ip" && (first($13) + 0 == 1 || first($14) + 0 > 0)) return "fragment"
	while (++i <= n && ip == "ipv6" && layer[i] ~ /^(ah|ipv6\..*)$/)
		if (layer[i] == "ipv6.fraghdr" && (first($15) + 0 == 1 || first($16) + 0 > 0)) return "fragment"
	t = i <= n ? layer[i] : ""
	if (t == "udp") return expect_udp(first($17), first($18), first($19), first($20))
	if (t == "tcp") return expect_tcp(first($23), first($24))
	if (t == "sctp") return "sctp"
	if (t == "icmp" || t == "icmpv6") return "icmp"
	if (t == "ah") return "ip_extension"
	if (t ~ /^(ip|ipv6|gre|esp|etherip|l2tp|mpls|eth)$/) return "tunnel"
	return "other_transport"
}
function expect_udp(sport, dport, length_, payload) {
	if (length_ + 0 < 8) return "udp_malformed"
	if (payload == "" || is_text(payload)) return "-"
	if (dport ~ /^(1701|2152|4500|4754|4789|4790|6081|6635)$/) return "tunnel"
	if (dport == 9899) return "sctp"
	if ((sport == 5061 || dport == 5061) && payload ~ /^(1[4-9a-f]|[23])/) return "tls"
	return "-"
}
function expect_tcp(length_, payload) {
	is_tcp = 1
	return length_ + 0 > 0 && ($21 ~ /^(443|5061)(,|$)/ || $22 ~ /^(443|5061)(,|$)/) && !is_text(payload) ? "tls" : "-"
}
function vlans(    a, b) { # tshark has the outer tag of 802.1ad in a field of its own
	a = $11; b = $10
	return a != "" && b != "" ? a "," b : a b
}
function complain(what) {
	if (++bad <= 40)
		printf "%s frame %s: %s (walk: %s %s; tshark: %s)\n", $1, $2, what, $3, $4, $9
}
BEGIN { while ((getline line < explained) > 0) { split(line, e, "\t"); known[e[1], e[2]] = e[3] } }
{
	seen[$3]++
	if (($1, $2) in known) {
		if ($3 != known[$1, $2]) complain("not " known[$1, $2])
		next
	}
	is_tcp = 0
	want = expect()
	if ($3 != want) { complain("not " want); next }
	# In a tunnel tshark may have found more tags; of four, the walk reads three.
	if ($3 !~ /^(vlan_depth|tunnel|mpls)$/ && $4 != vlans()) complain("VLANs " vlans())
	if ($3 != "-" || is_tcp) next
	compared++
	if ($6 != first($17) || $7 != first($18)) complain("ports " first($17) " " first($18))
	if ($8 != (first($19) - 8) ":" substr(first($20), 1, 64)) complain("payload " first($19) - 8)
}
END {
	printf "%d frames, %d UDP payloads compared, %d differences\n", NR, compared, bad
	for (r in seen) printf "  %7d %s\n", seen[r], r
	exit bad > 0 || compared < 1000
}'
