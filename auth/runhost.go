// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"strings"
)

// runHost is what the host name of a Cloud Run service says. There are two
// forms, and a service answers at both:
//
//	SERVICE-PROJECTNUMBER.REGION.run.app
//	SERVICE-HASH-CODE.a.run.app
//
// either with "TAG---" before it for a tagged revision.
type runHost struct {
	tag     string
	service string
	project string // the project's number; "" in the second form
	region  string // "" when the code is not in the table
}

func parseRunHost(host string) (runHost, bool) {
	name, ok := strings.CutSuffix(host, ".run.app")
	if !ok {
		return runHost{}, false
	}
	label, region, ok := strings.Cut(name, ".")
	if !ok || strings.Contains(region, ".") {
		return runHost{}, false
	}
	var s runHost
	if tag, rest, ok := strings.Cut(label, "---"); ok {
		s.tag, label = tag, rest
	}
	if region != "a" {
		cut := strings.LastIndexByte(label, '-')
		if cut <= 0 || strings.Trim(label[cut+1:], "0123456789") != "" {
			return runHost{}, false
		}
		s.service, s.project, s.region = label[:cut], label[cut+1:], region
		return s, true
	}
	parts := strings.Split(label, "-")
	if len(parts) < 3 {
		return runHost{}, false
	}
	s.service, s.region = strings.Join(parts[:len(parts)-2], "-"), regionOf(parts[len(parts)-1])
	return s, true
}

// regionOf translates the code at the end of a run.app host name. Google has
// no list of them; these are read off the hosts of gcping, which runs one
// service in each region.
func regionOf(code string) string {
	switch code {
	case "an":
		return "asia-northeast1"
	case "as":
		return "asia-southeast1"
	case "de":
		return "asia-east1"
	case "df":
		return "asia-east2"
	case "dt":
		return "asia-northeast2"
	case "du":
		return "asia-northeast3"
	case "el":
		return "asia-south1"
	case "em":
		return "asia-south2"
	case "et":
		return "asia-southeast2"
	case "ew":
		return "europe-west1"
	case "ey":
		return "europe-west3"
	case "ez":
		return "europe-west4"
	case "km":
		return "australia-southeast2"
	case "lm":
		return "europe-central2"
	case "lz":
		return "europe-north1"
	case "nn":
		return "northamerica-northeast1"
	case "nw":
		return "europe-west2"
	case "oa":
		return "europe-west6"
	case "pd":
		return "northamerica-northeast2"
	case "rj":
		return "southamerica-east1"
	case "ts":
		return "australia-southeast1"
	case "uc":
		return "us-central1"
	case "ue":
		return "us-east1"
	case "uk":
		return "us-east4"
	case "uw":
		return "us-west1"
	case "vp":
		return "us-south1"
	case "wl":
		return "us-west2"
	case "wm":
		return "us-west3"
	case "wn":
		return "us-west4"
	}
	return ""
}
