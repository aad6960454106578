// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	usagebeta "google.golang.org/api/serviceusage/v1beta1"
)

// errListed ends a paged listing early.
var errListed = errors.New("found")

// planQuota asks Service Usage for the GPU quota, then Cloud Quotas. Neither is
// always allowed, and a new project's first GPU deployment in a region is
// granted a quota that neither shows before; so a quota of zero is a No, and
// silence is unknown.
func (c *Client) planQuota(ctx context.Context, r settled) QuotaCheck {
	q := QuotaCheck{Needed: int64(r.max), Enough: Unknown, RequestURL: quotaLink}
	g, ok := gpuTypes[r.GPU]
	if !ok {
		q.Why = "the quota of GPU " + r.GPU + " is not known by name"
		return q
	}
	metric := g.metric
	q.ID = g.quota
	if r.ZonalRedundancy {
		q.ID, metric = g.quotaZR, g.metricZR
	}
	n, err := c.usageQuota(ctx, r, metric)
	q.Source = "Service Usage"
	if err != nil {
		var err2 error
		if n, err2 = c.cloudQuota(ctx, r, q.ID); err2 != nil {
			q.Source, q.Why = "", fmt.Sprintf("Service Usage: %s; Cloud Quotas: %s", brief(err), brief(err2))
			return q
		}
		q.Source = "Cloud Quotas"
	}
	q.Allowed, q.Enough = n, Yes
	if n >= 0 && n < q.Needed { // -1 is no limit
		q.Enough = No
	}
	return q
}

// usageQuota reads the metric's limit for the region, or the default of all.
func (c *Client) usageQuota(ctx context.Context, r settled, metric string) (int64, error) {
	found, limit := false, int64(0)
	_, err := read(ctx, "read quota", "", func() (struct{}, error) {
		parent := "projects/" + r.Project + "/services/" + runAPI
		err := c.quota.Services.ConsumerQuotaMetrics.List(parent).View("FULL").Pages(ctx, func(page *usagebeta.ListConsumerQuotaMetricsResponse) error {
			for _, m := range page.Metrics {
				if m.Metric != metric {
					continue
				}
				for _, l := range m.ConsumerQuotaLimits {
					for _, b := range l.QuotaBuckets {
						region := b.Dimensions["region"]
						if region == r.Region || region == "" && !found {
							found, limit = true, b.EffectiveLimit
						}
						if region == r.Region {
							return errListed
						}
					}
				}
			}
			return nil
		})
		if errors.Is(err, errListed) {
			err = nil
		}
		return struct{}{}, err
	})
	if err == nil && !found {
		err = errors.New("no such quota is listed")
	}
	return limit, err
}

// cloudQuota asks the Cloud Quotas API, for which this module has no client.
func (c *Client) cloudQuota(ctx context.Context, r settled, id string) (int64, error) {
	u := c.cloud + "v1/projects/" + url.PathEscape(r.Project) + "/locations/global/services/" + runAPI + "/quotaInfos/" + id
	raw, err := read(ctx, "read quota", "", func() (obj, error) { return c.send(ctx, http.MethodGet, u, nil) })
	if err != nil {
		return 0, err
	}
	b, err := json.Marshal(raw)
	if err != nil {
		return 0, err
	}
	var info struct {
		DimensionsInfos []struct {
			Dimensions          map[string]string `json:"dimensions"`
			ApplicableLocations []string          `json:"applicableLocations"`
			Details             struct {
				Value string `json:"value"`
			} `json:"details"`
		} `json:"dimensionsInfos"`
	}
	if err := json.Unmarshal(b, &info); err != nil {
		return 0, err
	}
	best, err := "", errors.New("no value for the region")
	for _, d := range info.DimensionsInfos {
		if region := d.Dimensions["region"]; region == r.Region || region == "" && best == "" {
			best = d.Details.Value
		}
	}
	if best == "" {
		return 0, err
	}
	return strconv.ParseInt(best, 10, 64)
}
