/* SPDX-License-Identifier: BSD-3-Clause */
/* policy_section POLICY.yaml > tests/fuzz/corpus/policy_image/NAME.bin: a corpus file, written anew. Exit 0 or 1. */
#include "tests/support/policy_section.h"

int main(int argc, char **argv)
{
	struct policy_section s = { NULL, 0 };
	size_t written = 0;

	if (argc == 2)
		s = policy_section_make(argv[1]);
	if (s.bytes)
		written = fwrite(s.bytes, 1, s.len, stdout);
	free(s.bytes);
	if (written > 0 && written == s.len && fflush(stdout) == 0)
		return 0;
	fprintf(stderr, "usage: policy_section POLICY.yaml > FILE, of a policy that compiles\n");
	return 1;
}
