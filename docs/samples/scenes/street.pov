// A wet street at dusk with an empty billboard. Units: metres.
#version 3.7;
#include "common.inc"
global_settings { assumed_gamma 1.0 max_trace_level 5 IndirectLight(35, 1, 1.0) }
#default { finish { ambient 0 diffuse 0.8 } }
#declare Sd = seed(1912);
#macro sgn(X) (X < 0 ? -1 : 1) #end

camera { location <2.6, 1.75, -17> right x * 16/9 up y angle 60 look_at <-0.6, 4.9, 14> }

// Sky: a low warm band under deep blue, with streaks of cloud.
sky_sphere {
  pigment { gradient y color_map {
    [0.00 srgb <1.00, 0.68, 0.44>] [0.10 srgb <0.96, 0.62, 0.50>] [0.24 srgb <0.62, 0.53, 0.64>]
    [0.45 srgb <0.32, 0.40, 0.60>] [1.00 srgb <0.12, 0.19, 0.38>] } }
  pigment { bozo turbulence 0.7 octaves 6 omega 0.55 lambda 2.3 color_map {
    [0.50 rgbt 1] [0.75 srgbt <0.95, 0.66, 0.58, 0.5>] [1.0 srgbt <0.60, 0.50, 0.60, 0.35>] }
    scale <0.55, 0.07, 0.4> translate <3.1, 0.5, 0> }
}
light_source { <-60, 80, -70> srgb <0.50, 0.58, 0.78> * 0.95 shadowless }
light_source { <30, 22, 120> srgb <1, 0.66, 0.42> * 0.75 }

// Road, kerbs, pavement.
plane { y, 0
  pigment { granite color_map { [0 srgb <0.13, 0.13, 0.145>] [1 srgb <0.23, 0.23, 0.24>] } scale 0.6 }
  normal { average normal_map { [1 granite 0.05 scale 0.15] [0.6 bumps 0.05 scale <0.9, 1, 3>] } }
  finish { diffuse 0.75 specular 0.1 roughness 0.03 reflection { 0.02, 0.75 fresnel on } conserve_energy }
  interior { ior 1.6 }
}
union {
  #for (I, 0, 16) box { <-0.07, 0, -14 + I * 6>, <0.07, 0.004, -11 + I * 6> } #end
  box { <-4.35, 0, -30>, <-4.25, 0.004, 120> } box { <4.25, 0, -30>, <4.35, 0.004, 120> }
  pigment { granite color_map { [0.2 srgb <0.45, 0.44, 0.42>] [0.5 srgb <0.80, 0.79, 0.75>] } scale 0.5 }
  finish { reflection { 0.01, 0.4 fresnel on } conserve_energy } interior { ior 1.4 }
}
#for (K, 0, 6)  // zebra crossing
  box { <-3.9 + K * 1.2, 0, -6.5>, <-3.3 + K * 1.2, 0.005, -3.6> pigment { granite color_map { [0.2 srgb 0.66] [0.5 srgb 0.80] } scale 0.2 } }
#end
#macro Pavement(Side)
  union {
    box { <4.7, -0.1, -30>, <4.95, 0.16, 120> pigment { granite color_map { [0 srgb 0.42] [1 srgb 0.58] } scale 0.4 } }
    box { <4.95, -0.1, -30>, <9, 0.15, 120>
      pigment { brick pigment { srgb <0.22, 0.21, 0.21> }, pigment { granite color_map { [0 srgb <0.40, 0.39, 0.39>] [1 srgb <0.54, 0.52, 0.51>] } } brick_size <0.9, 0.6, 0.6> mortar 0.02 rotate x * 0 translate y * 0.3 }
      finish { reflection { 0.01, 0.4 fresnel on } conserve_energy } interior { ior 1.5 } }
    scale <Side, 1, 1>
  }
#end
Pavement(1) Pavement(-1)

// One window unit, 1.2 wide and 1.9 high, its wall face at x = 0 looking along -x.
#macro Glow(K)
  #if (K < 0.42)
    pigment { gradient y pigment_map { [0 srgb <1, 0.70, 0.36> * (0.8 + rand(Sd) * 0.3)] [1 srgb <1, 0.80, 0.52>] } scale 2 }
    finish { emission 0.75 + rand(Sd) * 0.35 diffuse 0 }
  #else
    pigment { srgb <0.05, 0.06, 0.09> }
    finish { diffuse 0.3 reflection { 0.08, 0.7 fresnel on } } interior { ior 1.5 }
  #end
#end
#macro Pane(Trim)
  union {
    box { <0.10, 0, -0.6>, <0.12, 1.9, 0.6> Glow(rand(Sd)) }
    union {
      box { <-0.03, 0, -0.68>, <0.14, 1.98, -0.6> } box { <-0.03, 0, 0.6>, <0.14, 1.98, 0.68> }
      box { <-0.09, 1.9, -0.74>, <0.14, 2.06, 0.74> } box { <-0.16, -0.12, -0.78>, <0.14, 0, 0.78> }
      box { <0.05, 0, -0.025>, <0.1, 1.9, 0.025> } box { <0.05, 1.25, -0.6>, <0.1, 1.3, 0.6> }
      pigment { Trim }
    }
  }
#end
#macro Awning(Tone)
  #macro Pt(U, V) <-1.5 * V, 3.25 - 0.75 * V - 0.04 * (1 - cos(U * 60)) * pow(V, 8), (U - 0.5) * 4.6> #end
  object { SurfaceMesh(0, 1, 0, 1, 60, 8) pigment { gradient z color_map { [0.5 Tone] [0.5 srgb <0.90, 0.86, 0.78>] } scale 0.5 } finish { diffuse 0.6, 0.35 } }
#end
// A house on the right (mirrored for the left): face at x = 9, from Z0 to Z0 + W.
#macro House(Side, Z0, W, Floors, Wall, Trim, Tone)
  #local H = 4.1 + Floors * 3.3;
  #local Bays = int(W / 2.6);
  union {
    difference {
      box { <9, 0, Z0>, <20, H, Z0 + W> }
      #for (F, 0, Floors - 1) #for (B, 0, Bays - 1)
        box { <8, 5.0 + F * 3.3, Z0 + (B + 0.5) * W / Bays - 0.62>, <9.13, 6.92 + F * 3.3, Z0 + (B + 0.5) * W / Bays + 0.62> }
      #end #end
      texture { pigment { Wall } normal { granite 0.04 scale 0.5 } finish { diffuse 0.8 } }
    }
    #for (F, 0, Floors - 1) #for (B, 0, Bays - 1)
      object { Pane(Trim) translate <9, 5.0 + F * 3.3, Z0 + (B + 0.5) * W / Bays> }
    #end #end
    union {
      box { <8.7, H - 0.25, Z0>, <20, H + 0.1, Z0 + W> } box { <8.55, H + 0.1, Z0>, <20, H + 0.28, Z0 + W> }
      box { <8.82, 3.9, Z0>, <9.1, 4.2, Z0 + W> }
      #for (B, 0, Bays) box { <8.9, 0, Z0 + B * W / Bays - 0.22 + (B = 0 ? 0.22 : 0) - (B = Bays ? 0.22 : 0)>, <9.2, 3.9, Z0 + B * W / Bays + 0.22 + (B = 0 ? 0.22 : 0) - (B = Bays ? 0.22 : 0)> } #end
      pigment { Trim }
    }
    // Shop front.
    box { <8.985, 0.5, Z0 + 0.3>, <8.995, 3.3, Z0 + W - 0.3>
      pigment { gradient y pigment_map {
        [0.25 cells color_map { [0 srgb <0.34, 0.17, 0.09>] [0.6 srgb <0.85, 0.52, 0.26>] [1 srgb <0.55, 0.40, 0.30>] } scale <1, 0.13, 0.21>]
        [0.60 bozo turbulence 0.5 color_map { [0.2 srgb <0.80, 0.46, 0.22>] [0.7 srgb <1, 0.80, 0.50>] } scale <1, 0.3, 0.25>]
        [0.9 srgb <1, 0.88, 0.66>] } scale 3.4 }
      finish { emission 1.0 diffuse 0 } }
    #for (B, 0, Bays * 2) box { <8.93, 0.5, -0.03>, <8.99, 3.3, 0.03> pigment { srgb 0.07 } translate z * (Z0 + B * W / Bays / 2) } #end
    box { <8.9, 0, Z0>, <9.05, 0.55, Z0 + W> pigment { Tone * 0.5 } }
    box { <8.85, 3.3, Z0 + 0.2>, <9.05, 3.88, Z0 + W - 0.2> pigment { Tone } }
    #for (B, 0, int(W / 5.2) - 1) object { Awning(Tone) translate <8.95, 0.1, Z0 + W / 2 + (B - (int(W / 5.2) - 1) / 2) * 5.3> } #end
    scale <Side, 1, 1>
  }
#end
House( 1, -12, 13, 3, srgb <0.62, 0.40, 0.32>, srgb <0.80, 0.75, 0.68>, srgb <0.18, 0.30, 0.28>)
House( 1,   1, 11, 4, srgb <0.72, 0.66, 0.56>, srgb <0.85, 0.82, 0.76>, srgb <0.45, 0.16, 0.14>)
House( 1,  12, 13, 3, srgb <0.45, 0.50, 0.54>, srgb <0.80, 0.78, 0.74>, srgb <0.20, 0.24, 0.36>)
House( 1,  25, 11, 5, srgb <0.66, 0.50, 0.38>, srgb <0.80, 0.75, 0.68>, srgb <0.25, 0.28, 0.2>)
House( 1,  36, 16, 4, srgb <0.58, 0.55, 0.52>, srgb <0.78, 0.75, 0.70>, srgb <0.4, 0.2, 0.14>)
House(-1, -12, 10, 4, srgb <0.55, 0.50, 0.44>, srgb <0.80, 0.76, 0.70>, srgb <0.40, 0.24, 0.12>)
House(-1,  14, 12, 4, srgb <0.60, 0.36, 0.30>, srgb <0.80, 0.75, 0.68>, srgb <0.16, 0.24, 0.34>)
House(-1,  26, 12, 3, srgb <0.68, 0.64, 0.58>, srgb <0.84, 0.80, 0.74>, srgb <0.38, 0.14, 0.16>)
House(-1,  38, 16, 5, srgb <0.48, 0.46, 0.48>, srgb <0.78, 0.75, 0.70>, srgb <0.2, 0.28, 0.22>)
// The street ends in a far block.
#for (I, 0, 9)
  #local H = 9 + 7 * rand(Sd);
  box { <-34 + I * 7, 0, 92>, <-27 + I * 7, H, 100> pigment { srgb <0.36, 0.33, 0.41> } }
  #for (J, 0, 4) #for (K, 0, int(H / 3) - 1)
    box { <-33.4 + I * 7 + J * 1.35, 1.4 + K * 2.9, 91.9>, <-32.7 + I * 7 + J * 1.35, 2.8 + K * 2.9, 92>
      #if (rand(Sd) < 0.45) pigment { srgb <1, 0.72, 0.40> } finish { emission 0.8 diffuse 0 } #else pigment { srgb <0.16, 0.16, 0.22> } #end }
  #end #end
#end

// Empty plot on the left with the billboard, turned to the viewer.
box { <-9.2, 0, -2>, <-9, 2.4, 14> pigment { brick srgb 0.3, srgb <0.42, 0.26, 0.21> brick_size <0.2, 0.12, 0.4> mortar 0.014 translate x * 0.07 } }
box { <-20, 0, 13.4>, <-9, 13, 14> pigment { srgb <0.46, 0.38, 0.34> } normal { granite 0.05 } }
union {
  box { <-4.1, 0, 0>, <4.1, 4.5, 0.04> pigment { srgb <0.96, 0.95, 0.92> } finish { diffuse 0.75 emission 0.40 } }
  union {
    box { <-4.3, -0.2, 0.03>, <4.3, 4.7, 0.35> } 
    box { <-4.3, -0.2, -0.06>, <4.3, 0, 0.1> } box { <-4.3, 4.5, -0.06>, <4.3, 4.7, 0.1> }
    box { <-4.3, -0.2, -0.06>, <-4.1, 4.7, 0.1> } box { <4.1, -0.2, -0.06>, <4.3, 4.7, 0.1> }
    box { <-4.3, -0.5, -1.1>, <4.3, -0.44, 0.3> }
    cylinder { <-2.6, -4.5, 0.3>, <-2.6, 0, 0.3>, 0.17 } cylinder { <2.6, -4.5, 0.3>, <2.6, 0, 0.3>, 0.17 }
    #for (I, -1, 1) cylinder { <I * 2.7, 4.7, 0>, <I * 2.7, 5.0, -1.1>, 0.035 } box { <I * 2.7 - 0.35, 4.9, -1.3>, <I * 2.7 + 0.35, 5.04, -1.05> } #end
    pigment { srgb <0.14, 0.15, 0.17> } finish { specular 0.2 roughness 0.05 }
  }
  #for (I, -1, 1) light_source { <I * 2.7, 4.85, -1.25> srgb <1, 0.93, 0.82> * 0.62 fade_distance 2.2 fade_power 2 } #end
  rotate y * -26 translate <-8.2, 4.7, 9.0>
}

// Street lamps and trees along the kerb.
#macro Lamp(X, Z)
  union {
    cylinder { 0, <0, 0.8, 0>, 0.12 } cone { <0, 0.8, 0>, 0.075, <0, 5.2, 0>, 0.05 }
    cylinder { <0, 5.1, 0>, <-0.9 * sgn(X), 5.5, 0>, 0.035 }
    cone { <-0.9 * sgn(X), 5.45, 0>, 0.28, <-0.9 * sgn(X), 5.7, 0>, 0.06 }
    pigment { srgb <0.08, 0.10, 0.10> } finish { specular 0.3 roughness 0.04 }
    translate <X, 0.15, Z>
  }
  sphere { <X - 0.9 * sgn(X), 5.6, Z>, 0.15 pigment { rgb 1 } finish { emission srgb <1.5, 1.22, 0.85> diffuse 0 } no_shadow }
  #if (Z < 26) light_source { <X - 0.9 * sgn(X), 5.5, Z> srgb <1, 0.76, 0.46> * 0.95 fade_distance 3.2 fade_power 2 } #end
#end
Lamp(5.2, 3) Lamp(5.2, 17) Lamp(5.2, 31) Lamp(-5.2, 13) Lamp(-5.2, 25) Lamp(-5.2, 37)

#declare Spray = mesh {
  #for (I, 0, 150)
    #local D = vnormalize(<rand(Sd) - 0.5, rand(Sd) - 0.5, rand(Sd) - 0.5>) * (0.3 + 0.7 * rand(Sd)) * 0.75;
    #local E = vnormalize(<rand(Sd) - 0.5, rand(Sd) - 0.5, rand(Sd) - 0.5>) * 0.11;
    #local F = vnormalize(vcross(E, <rand(Sd), rand(Sd), 0.3>)) * 0.06;
    triangle { D, D + E + F, D + E - F }
  #end
}
#macro Tree(X, Z, S)
  union {
    cone { 0, 0.13, <0, 2.6, 0>, 0.08 pigment { srgb <0.22, 0.17, 0.13> } }
    #for (I, 0, 44)
      #local A = rand(Sd) * 2 * pi; #local R = sqrt(rand(Sd)) * 1.35; #local Y = 2.4 + rand(Sd) * 2.9;
      object { Spray rotate <rand(Sd), rand(Sd), rand(Sd)> * 360 translate <cos(A) * R * sin((Y - 1.9) / 3.6 * pi), Y, sin(A) * R * sin((Y - 1.9) / 3.6 * pi)>
        pigment { srgb <0.20 + rand(Sd) * 0.10, 0.27 + rand(Sd) * 0.08, 0.14> } finish { diffuse 0.7, 0.3 } }
    #end
    #for (I, 0, 8) cone { <0, 2.2, 0>, 0.05, <sin(I * 2.4) * 0.9, 3.6 + mod(I, 3) * 0.5, cos(I * 2.4) * 0.9>, 0.015 pigment { srgb <0.22, 0.17, 0.13> } } #end
    scale S translate <X, 0.15, Z>
  }
#end
Tree(5.8, 10, 1.15) Tree(5.8, 24, 1.2) Tree(-5.9, 19, 1.15) Tree(-5.9, 31, 1.25) Tree(5.8, 38, 1.2)
// A bench and bollards near the viewer.
#for (I, 0, 4) union { cylinder { 0, <0, 0.85, 0>, 0.07 } sphere { <0, 0.87, 0>, 0.085 } pigment { srgb 0.09 } finish { specular 0.3 roughness 0.04 } translate <5.15, 0.15, -9 + I * 2.2> } #end
