/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Holds tg_numbering_find against libphonenumber: numbering_oracle COUNT [SEED]. A third of the numbers
 * are libphonenumber's own examples of every region and type with some digits changed, a third begin
 * with a country code and go on at random, a third are random altogether; lengths vary in all. Prints
 * each difference, and how often each answer came; exits 1 if there was a difference.
 */
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <phonenumbers/phonenumberutil.h>

extern "C" {
#include "tollgate/numbering.h"
}

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
static std::mt19937_64 rng;

static unsigned below(unsigned n)
{
	return static_cast<unsigned>(rng() % n);
}

static char digit()
{
	return static_cast<char>('0' + below(10));
}

static tg_numbering_type type_of(PhoneNumberUtil::PhoneNumberType type)
{
	switch (type) {
	case PhoneNumberUtil::FIXED_LINE:
		return TG_NUMBERING_TYPE_FIXED;
	case PhoneNumberUtil::MOBILE:
		return TG_NUMBERING_TYPE_MOBILE;
	case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
		return TG_NUMBERING_TYPE_FIXED_OR_MOBILE;
	case PhoneNumberUtil::TOLL_FREE:
		return TG_NUMBERING_TYPE_TOLL_FREE;
	case PhoneNumberUtil::PREMIUM_RATE:
		return TG_NUMBERING_TYPE_PREMIUM;
	case PhoneNumberUtil::SHARED_COST:
		return TG_NUMBERING_TYPE_SHARED_COST;
	case PhoneNumberUtil::VOIP:
		return TG_NUMBERING_TYPE_VOIP;
	case PhoneNumberUtil::PERSONAL_NUMBER:
		return TG_NUMBERING_TYPE_PERSONAL;
	case PhoneNumberUtil::PAGER:
		return TG_NUMBERING_TYPE_PAGER;
	case PhoneNumberUtil::UAN:
		return TG_NUMBERING_TYPE_UAN;
	case PhoneNumberUtil::VOICEMAIL:
		return TG_NUMBERING_TYPE_VOICEMAIL;
	default:
		return TG_NUMBERING_TYPE_UNKNOWN;
	}
}

/* No code is the beginning of another (E.164 §6), so the first that fits is the one. */
static int code_of(const std::set<int> &codes, const std::string &digits)
{
	for (size_t n = 1; n <= 3 && n <= digits.size(); n++) {
		const int code = atoi(digits.substr(0, n).c_str());

		if (codes.count(code))
			return code;
	}
	return 0;
}

/* The digits as they stand: no national prefix is looked for, as parsing would. */
static PhoneNumber number_of(int code, const std::string &national)
{
	const size_t zeros = std::min(national.find_first_not_of('0'), national.size());
	PhoneNumber number;

	number.set_country_code(code);
	number.set_national_number(strtoull(national.c_str(), nullptr, 10));
	if (zeros > 0) {
		/* A number of zeros alone is written as zeros and one more. */
		const size_t leading = zeros == national.size() ? zeros - 1 : zeros;

		number.set_italian_leading_zero(leading > 0);
		number.set_number_of_leading_zeros(static_cast<int>(leading));
	}
	return number;
}

static std::string oracle(const std::set<int> &codes, const std::string &digits)
{
	const int code = code_of(codes, digits);
	tg_numbering_state state = TG_NUMBERING_NO_COUNTRY;
	tg_numbering_type type = TG_NUMBERING_TYPE_UNKNOWN;
	std::string region;

	if (code) {
		const std::string national = digits.substr(std::to_string(code).size());
		const PhoneNumber number = number_of(code, national);

		if (util.IsValidNumber(number)) {
			state = TG_NUMBERING_VALID;
			type = type_of(util.GetNumberType(number));
			util.GetRegionCodeForNumber(number, &region);
		} else {
			/* What is only possible as a local number lacks its area code. */
			const bool possible =
				util.IsPossibleNumberWithReason(number) == PhoneNumberUtil::IS_POSSIBLE;

			state = !national.empty() && possible ? TG_NUMBERING_NO_RANGE : TG_NUMBERING_LENGTH;
			util.GetRegionCodeForCountryCode(code, &region);
		}
	}
	return std::string(tg_numbering_state_name(state)) + " " + tg_numbering_type_name(type) + " +" +
	       std::to_string(code) + " " + region;
}

static std::string ours(const std::string &digits)
{
	const std::string text = "+" + digits;
	const struct tg_span span = { reinterpret_cast<const uint8_t *>(text.data()),
				      static_cast<uint32_t>(text.size()) };
	const struct tg_numbering n = tg_numbering_find(tg_num_from_feed(span));

	return std::string(tg_numbering_state_name(n.state)) + " " + tg_numbering_type_name(n.type) + " +" +
	       std::to_string(n.country_code) + " " + n.region;
}

static std::vector<std::string> examples(const std::set<std::string> &regions, const std::set<int> &codes)
{
	std::vector<std::string> all;
	PhoneNumber number;

	for (const auto &region : regions) {
		for (int type = 0; type <= PhoneNumberUtil::VOICEMAIL; type++) {
			const auto t = static_cast<PhoneNumberUtil::PhoneNumberType>(type);
			std::string text;

			if (!util.GetExampleNumberForType(region, t, &number))
				continue;
			util.Format(number, PhoneNumberUtil::E164, &text);
			all.push_back(text.substr(1));
		}
	}
	for (const int code : codes) {
		std::string text;

		if (!util.GetExampleNumberForNonGeoEntity(code, &number))
			continue;
		util.Format(number, PhoneNumberUtil::E164, &text);
		all.push_back(text.substr(1));
	}
	return all;
}

static std::string make(const std::vector<std::string> &examples, const std::vector<int> &codes)
{
	const unsigned kind = below(3);
	std::string s;

	if (kind == 0) {
		s = examples[below(static_cast<unsigned>(examples.size()))];
		for (unsigned i = below(6); i > 0; i--)
			s[1 + below(static_cast<unsigned>(s.size()) - 1)] = digit();
		if (below(4) == 0)
			s.resize(s.size() - 1 - below(2));
		while (below(8) == 0)
			s += digit();
	} else {
		const unsigned len = 4 + below(12);

		s = kind == 1 ? std::to_string(codes[below(static_cast<unsigned>(codes.size()))])
			      : std::string(1, static_cast<char>('1' + below(9)));
		while (s.size() < len)
			s += digit();
	}
	s.resize(std::min<size_t>(s.size(), TG_NUM_MAX_DIGITS));
	return s;
}

int main(int argc, char **argv)
{
	const unsigned long count = argc > 1 ? strtoul(argv[1], nullptr, 10) : 1000000;
	std::set<std::string> regions;
	std::set<int> codes;
	std::map<std::string, unsigned long> seen;
	unsigned long wrong = 0;

	rng.seed(argc > 2 ? strtoul(argv[2], nullptr, 10) : 1);
	util.GetSupportedRegions(&regions);
	util.GetSupportedCallingCodes(&codes);
	const auto known = examples(regions, codes);
	const std::vector<int> code_list(codes.begin(), codes.end());

	for (unsigned long i = 0; i < count; i++) {
		const std::string digits = i < known.size() ? known[i] : make(known, code_list);
		const std::string want = oracle(codes, digits), got = ours(digits);

		seen[want.substr(0, want.find(" +"))]++;
		if (want != got && wrong++ < 20)
			printf("+%s: libphonenumber says %s, Tollgate %s\n", digits.c_str(), want.c_str(), got.c_str());
	}
	for (const auto &s : seen)
		printf("%10lu %s\n", s.second, s.first.c_str());
	printf("%lu numbers, %lu differences\n", count, wrong);
	return wrong ? 1 : 0;
}
